"""A request's body as a batch of events, and the limits of both. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import orjson
from pydantic import ValidationError

from ingest_service.parsing.bounded_json import (
    MAX_EVENT_DEPTH,
    SENDER_TIME,
    is_too_deep,
    load_despite_surrogates,
)
from ingest_service.parsing.field_notes import ZONE_MISSING, FieldNotes, note_unknown
from shared.clock import as_utc
from shared.errors import FieldError, InvalidPayload
from shared.models.sentences import A_DATE_TIME
from shared.models.wire import load_json

MAX_REQUEST_BYTES = 1024 * 1024
MAX_EVENTS = 500
MAX_EVENT_BYTES = 32 * 1024
AROUND = frozenset({"events", "sentAt"})  # keys of a request with several events
EMPTY_BATCH = "empty_batch"
TOO_LARGE = 2**63


class NotUnicode:
    """The mark of an event that holds half of a surrogate pair, which UTF-8 can't encode."""


class Batch(NamedTuple):
    """Events as received, not validated yet."""

    events: list[Any]
    sent_at: datetime | None
    size: int  # bytes of the whole body
    brackets: int  # objects and lists in it, at most: none is nested deeper
    notes: tuple[FieldError, ...] = ()  # what is odd in what is around the events


def read_batch(body: bytes) -> Batch:
    """Read one event, a list, or `{"events": […], "sentAt"}`. Raises InvalidPayload."""
    try:
        content = load_json(body)
    except InvalidPayload as exc:
        content = _mark_not_unicode(load_despite_surrogates(body, exc))
    sent_at, notes = None, FieldNotes()
    if isinstance(content, dict):
        sent_at = _read_sent_at(content.get("sentAt"), notes)
        if "events" in content and not AROUND.issuperset(content):
            note_unknown(notes, content, AROUND)
        content = content.get("events", [content])
    if not isinstance(content, list):
        raise InvalidPayload(
            "the body must be an event, a list of events, or an object with a list `events`",
            code="invalid_shape",
        )
    if not content:
        raise InvalidPayload("there is no event in the request", code=EMPTY_BATCH)
    if len(content) > MAX_EVENTS:
        raise InvalidPayload(f"more than {MAX_EVENTS} events in a request", code="too_many_events")
    brackets = body.count(b"{") + body.count(b"[")
    return Batch(content, sent_at, len(body), brackets, tuple(notes.found))


def _mark_not_unicode(content: Any) -> Any:
    """Return the content with NotUnicode in the place of each event that UTF-8 can't encode."""
    # Events lie one level deep at most. No recursion: JSON's parser goes deeper than Python's calls.
    if isinstance(content, dict):
        return {**content, "events": _with_marks(content.get("events", [content]))}
    return _with_marks(content)


def _with_marks(events: Any) -> Any:
    if not isinstance(events, list):
        return events
    return [event if _is_unicode(event) else NotUnicode() for event in events]


def _is_unicode(event: Any) -> bool:
    try:
        orjson.dumps(event)
    except orjson.JSONEncodeError:
        # What is too deep for orjson is refused for that.
        return isinstance(event, dict) and is_too_deep(event)
    return True


def _read_sent_at(value: object, notes: FieldNotes) -> datetime | None:
    if value is None:
        return None
    try:
        moment = SENDER_TIME.validate_python(value)
        if moment.tzinfo is None:
            notes.leave_out("sentAt", *ZONE_MISSING)
        return as_utc(moment)
    except (ValidationError, OverflowError):  # without it the events' times aren't corrected
        notes.leave_out("sentAt", "datetime_parsing", A_DATE_TIME)
        return None


def check_event(event: Any, batch_size: int, brackets: int) -> dict[str, Any]:
    """Check an event's limits, given its batch's size in bytes and brackets. Raises InvalidPayload."""
    if not isinstance(event, dict):
        if isinstance(event, NotUnicode):
            raise InvalidPayload("a text holds half a surrogate pair", code="invalid_text")
        raise InvalidPayload("an event must be an object", code="not_an_object")
    # Before its size is taken: orjson writes no more than 254 levels.
    if brackets > MAX_EVENT_DEPTH and is_too_deep(event):
        raise InvalidPayload(
            f"the event is nested deeper than {MAX_EVENT_DEPTH} levels", code="too_deep"
        )
    if batch_size > MAX_EVENT_BYTES and len(orjson.dumps(event)) > MAX_EVENT_BYTES:
        raise InvalidPayload(
            f"the event is larger than {MAX_EVENT_BYTES // 1024} KiB", code="event_too_large"
        )
    return event


def check_numbers(data: dict[str, Any]) -> None:
    """Check that all numbers are smaller than 2^63. Raises InvalidPayload."""
    # JSON parsers and stores disagree on longer ones, which would arrive as other numbers.
    level: list[Any] = [data]
    while level:
        level = [c for node in level for c in (node.values() if type(node) is dict else node)]
        if any(type(c) in (int, float) and abs(c) >= TOO_LARGE for c in level):
            raise InvalidPayload(
                "data: a number must be smaller than 2^63", code="number_too_large"
            )
        level = [c for c in level if type(c) is dict or type(c) is list]
