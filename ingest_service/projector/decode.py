"""Decoding of the log's records for the projector. Pure."""

from __future__ import annotations

from shared.errors import InvalidPayload
from shared.events.registry import (
    ERASE,
    IMPORT,
    PAYLOAD_OF_TYPE,
    PROVIDER_REPORTS,
    RESERVED_PREFIX,
    STREAM,
    UNDO_MERGE,
    payload_of,
)
from shared.kafka.records import Record
from shared.kafka.topics import DELIVERIES_TOPIC
from shared.models.delivery import Delivery
from shared.models.event import Event

OURS = frozenset({STREAM, IMPORT, ERASE, UNDO_MERGE})

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
    if event.visitor_id is None and event.type not in PROVIDER_REPORTS:
        raise InvalidPayload("visitorId: an event needs its visitor", code="no_visitor")
    if event.type in OURS:
        payload_of(event, PAYLOAD_OF_TYPE[event.type])  # no API has validated it
    return event.read_at(record.offset)
