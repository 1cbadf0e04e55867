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
from shared.models.event import Event
from shared.models.wire import validate

PAGEVIEW = "pageview"
ADD_TO_BASKET = "addToBasket"
REMOVE_FROM_BASKET = "removeFromBasket"
PURCHASE = "purchase"
IDENTIFY = "identify"
LOGOUT = "logout"  # it has no data
ONESIGNAL = "oneSignal"
ONESIGNAL_WEBHOOK = "oneSignalWebhook"
RESERVED_PREFIX = "carillon."  # our own events: refused at the endpoint
STREAM = "carillon.stream"  # key: the player
IMPORT = "carillon.import"
ERASE = "carillon.erase"  # one for each visitor id of the person
UNDO_MERGE = "carillon.undoMerge"  # visitor: the one whose epoch was joined
# What providers report of players and pushes; these events name no visitor.
PROVIDER_REPORTS = frozenset({ONESIGNAL_WEBHOOK, STREAM})

PAYLOAD_OF_TYPE: Mapping[str, type] = {
    PAGEVIEW: PageviewPayload,
    ADD_TO_BASKET: BasketChangePayload,
    REMOVE_FROM_BASKET: BasketChangePayload,
    PURCHASE: PurchasePayload,
    IDENTIFY: IdentifyPayload,
    ONESIGNAL: StatusPayload,
    ONESIGNAL_WEBHOOK: InteractionPayload,
    STREAM: StreamPayload,
    IMPORT: ImportPayload,
    ERASE: ErasePayload,
    UNDO_MERGE: UndoMergePayload,
}
_VALIDATED = {p for p in PAYLOAD_OF_TYPE.values() if issubclass(p, BaseModel)}

P = TypeVar("P")


def is_custom(kind: str) -> bool:
    """Return whether a type of event is a shop's own."""
    return kind != LOGOUT and kind not in PAYLOAD_OF_TYPE and not kind.startswith(RESERVED_PREFIX)


def payload_of(event: Event, payload: type[P]) -> P:
    """Return the event's data as this payload. Raises InvalidPayload for Carillon's own types.

    An event's own data is validated once, however often it is read.
    """
    if payload not in _VALIDATED:
        return cast(P, event.data)
    model = cast(type[BaseModel], payload)
    if model not in event.payloads:
        event.payloads[model] = validate(model, event.data, prefix="data.")
    return cast(P, event.payloads[model])
