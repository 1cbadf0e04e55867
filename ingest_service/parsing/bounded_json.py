"""JSON of limited depth, from senders that may cut texts within a character. Pure."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from ingest_service.parsing.input_model import SenderTime
from shared.clock import as_utc
from shared.errors import InvalidPayload
from shared.models.wire import load_json

MAX_EVENT_DEPTH = 8  # levels of an event
SENDER_TIME: TypeAdapter[datetime] = TypeAdapter(SenderTime)


def load_despite_surrogates(body: bytes, error: InvalidPayload) -> Any:
    """Parse strict JSON, but with escapes of lone surrogates, as a text cut inside an emoji has.

    Raises `error` if anything else is wrong.
    """
    if b"\\ud" not in body.lower():
        raise error
    try:
        # Numbers are parsed as strictly as usual.
        content = json.loads(
            body.decode("utf-8-sig"),
            parse_int=orjson.loads,
            parse_float=orjson.loads,
            parse_constant=orjson.loads,
        )
    except (ValueError, RecursionError) as exc:
        raise error from exc
    return content


def read_moment(value: object) -> datetime | None:
    """Read a sender's date and time as UTC; None if it is none."""
    try:
        return as_utc(SENDER_TIME.validate_python(value))
    except (ValidationError, OverflowError):
        return None


def load_bounded(body: bytes) -> dict[str, Any]:
    """Parse a body that is one object, no deeper than an event. Raises InvalidPayload."""
    # A deeper one could be written to the log, but never be parsed from it.
    try:
        content, is_unicode = load_json(body), True
    except InvalidPayload as exc:
        content, is_unicode = load_despite_surrogates(body, exc), False
    if not isinstance(content, dict):
        raise InvalidPayload("the body must be an object", code="invalid_shape")
    if is_too_deep(content):
        raise InvalidPayload(
            f"the body is nested deeper than {MAX_EVENT_DEPTH} levels", code="too_deep"
        )
    return content if is_unicode else _replace_surrogates(content)


def _replace_surrogates(value: Any) -> Any:
    """Replace lone surrogates in all texts."""
    # A click counts, even if OneSignal or its SDK cut one of its texts inside an emoji.
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_replace_surrogates(one) for one in value]
    if isinstance(value, dict):
        return {_replace_surrogates(name): _replace_surrogates(one) for name, one in value.items()}
    return value


def is_too_deep(event: dict[str, Any]) -> bool:
    """Check whether an event has more than MAX_EVENT_DEPTH levels; the event itself is the first."""
    level: list[Any] = [event]
    for _ in range(MAX_EVENT_DEPTH):
        level = [
            child
            for node in level
            for child in (node.values() if type(node) is dict else node)
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return False
    return True
