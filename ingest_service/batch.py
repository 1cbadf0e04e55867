"""A request's body as the events in it: within its limits, each with its own verdict. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from ingest_service.schemas import SenderTime
from shared.clock import as_utc
from shared.errors import FieldError, InvalidPayload
from shared.models.wire import load_json

MAX_REQUEST_BYTES = 1024 * 1024
MAX_EVENTS = 500
MAX_EVENT_BYTES = 32 * 1024
MAX_DEPTH = 8

_MOMENT: TypeAdapter[datetime] = TypeAdapter(SenderTime)


@dataclass(frozen=True)
class Batch:
    """Events as received, not yet judged one by one."""

    events: list[Any]
    sent_at: datetime | None
    size: int  # bytes of the whole body


def read_batch(body: bytes) -> Batch:
    """One event, a list, or `{"events": […], "sentAt"}`. Raises InvalidPayload."""
    content = load_json(body)
    sent_at = None
    if isinstance(content, dict):
        sent_at = _read_sent_at(content.get("sentAt"))
        content = content.get("events", [content])
    if not isinstance(content, list):
        raise InvalidPayload(
            "the body must be an event, a list of events, or an object with a list `events`",
            code="invalid_shape",
        )
    if not content:
        raise InvalidPayload("there is no event in the request", code="empty_batch")
    if len(content) > MAX_EVENTS:
        raise InvalidPayload(f"more than {MAX_EVENTS} events in a request", code="too_many_events")
    return Batch(content, sent_at, len(body))


def _read_sent_at(value: object) -> datetime | None:
    if value is None:
        return None
    moment = read_moment(value)
    if moment is None:
        error = FieldError("sentAt", "datetime", "must be a date and time")
        raise InvalidPayload("sentAt: must be a date and time", errors=[error])
    return moment


def read_moment(value: object) -> datetime | None:
    """A sender's date and time, UTC; None for what isn't one."""
    try:
        return as_utc(_MOMENT.validate_python(value))
    except (ValidationError, OverflowError):
        return None


def check_event(event: Any, batch_size: int) -> dict[str, Any]:
    """An event's limits, before its fields. Raises InvalidPayload."""
    if not isinstance(event, dict):
        raise InvalidPayload("an event must be an object", code="not_an_object")
    if batch_size > MAX_EVENT_BYTES and len(orjson.dumps(event)) > MAX_EVENT_BYTES:
        raise InvalidPayload(
            f"the event is larger than {MAX_EVENT_BYTES // 1024} KiB", code="event_too_large"
        )
    if _is_deeper(event, MAX_DEPTH):
        raise InvalidPayload(f"the event is nested deeper than {MAX_DEPTH} levels", code="too_deep")
    return event


def _is_deeper(value: Any, levels: int) -> bool:
    """The event itself is the first level."""
    if levels == 0:
        return True
    for child in value.values() if isinstance(value, dict) else value:
        if isinstance(child, dict | list) and _is_deeper(child, levels - 1):
            return True
    return False
