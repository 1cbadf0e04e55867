"""Types of events and what their data is; the way from an event to its typed data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar, cast

from pydantic import BaseModel

from shared.events.payloads import (
    BasketChangePayload,
    ErasePayload,
    IdentifyPayload,
    ImportPayload,
    InteractionPayload,
    PageviewPayload,
    PurchasePayload,
    StatusPayload,
    StreamPayload,
    UndoMergePayload,
)
from shared.models.event import (
    ERASE,
    IMPORT,
    ONESIGNAL,
    ONESIGNAL_WEBHOOK,
    STREAM,
    UNDO_MERGE,
    Event,
)
from shared.models.wire import validate

PAYLOAD_OF_TYPE: Mapping[str, type] = {
    "pageview": PageviewPayload,
    "addToBasket": BasketChangePayload,
    "removeFromBasket": BasketChangePayload,
    "purchase": PurchasePayload,
    "identify": IdentifyPayload,
    ONESIGNAL: StatusPayload,
    ONESIGNAL_WEBHOOK: InteractionPayload,
    STREAM: StreamPayload,
    IMPORT: ImportPayload,
    ERASE: ErasePayload,
    UNDO_MERGE: UndoMergePayload,
}
_VALIDATED = {p for p in PAYLOAD_OF_TYPE.values() if issubclass(p, BaseModel)}

P = TypeVar("P")


def payload_of(event: Event, payload: type[P]) -> P:
    """Return the event's data as this payload. Raises InvalidPayload for Carillon's own types."""
    if payload in _VALIDATED:
        model = cast(type[BaseModel], payload)
        return cast(P, validate(model, event.data, prefix="data."))
    return cast(P, event.data)
