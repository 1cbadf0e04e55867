"""Decoding of the log's records for the projector. Pure."""

from __future__ import annotations

from typing import Any

from shared.errors import InvalidPayload
from shared.kafka.client import Record
from shared.kafka.topics import DELIVERIES_TOPIC
from shared.models.delivery import Delivery
from shared.models.event import (
    ERASE,
    IMPORT,
    ONESIGNAL_WEBHOOK,
    RESERVED_PREFIX,
    STREAM,
    UNDO_MERGE,
    Event,
)

OURS = frozenset({STREAM, IMPORT, ERASE, UNDO_MERGE})
OF_PLAYERS = frozenset({ONESIGNAL_WEBHOOK, STREAM})  # they name no visitor

Projected = Event | Delivery


def decode(record: Record) -> Projected | None:
    """Return a record's event or delivery, None if it isn't for the projector.

    Raises InvalidPayload.
    """
    if record.topic == DELIVERIES_TOPIC.name:
        return Delivery.parse(record.value)
    if record.type.startswith(RESERVED_PREFIX) and record.type not in OURS:
        return None
    event = Event.parse(record.value)
    if (event.context or {}).get("crawler"):
        return None
    if event.visitor_id is None and event.type not in OF_PLAYERS:
        raise InvalidPayload("visitorId: an event needs its visitor", code="no_visitor")
    if event.type in OURS:
        _check(event)
    return event.read_at(record.offset)


def _check(event: Event) -> None:
    """Check the data of Carillon's own events, which no API has validated. Raises InvalidPayload."""
    data = event.data
    if event.type == IMPORT and not all(
        _is_text(data.get(n)) for n in ("playerID", "status", "state")
    ):
        raise InvalidPayload("data: an import names a player and its state", code="no_player")
    if event.type == ERASE and not _is_text(data.get("person")):
        raise InvalidPayload("data.person: names who is to be erased", code="no_person")
    if event.type == UNDO_MERGE and not _is_merge(data.get("merge")):
        raise InvalidPayload("data.merge: names what is to be undone", code="no_merge")


def _is_merge(value: Any) -> bool:
    if isinstance(value, list):
        return len(value) == 2 and all(_is_text(one) for one in value)
    return _is_text(value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)
