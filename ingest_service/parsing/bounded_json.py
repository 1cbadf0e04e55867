"""JSON within the depth that everything behind can read, from senders that cut texts anywhere. Pure."""

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

MAX_DEPTH = 8  # levels of an event
MOMENT: TypeAdapter[datetime] = TypeAdapter(SenderTime)


def load_despite_surrogates(body: bytes, error: InvalidPayload) -> Any:
    """JSON that is strict but for escapes of lone surrogates, as a text cut inside an emoji has
    them. Raises the error where something else is wrong."""
    if b"\\ud" not in body.lower():
        raise error
    try:
        # Numbers are judged as strictly as ever.
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
    """A sender's date and time, UTC; None for what isn't one."""
    try:
        return as_utc(MOMENT.validate_python(value))
    except (ValidationError, OverflowError):
        return None


def load_bounded(body: bytes) -> dict[str, Any]:
    """A body that is one object, no deeper than an event: what is deeper than parsers go could be
    put on the log and never be read from it. Raises InvalidPayload."""
    try:
        content, is_unicode = load_json(body), True
    except InvalidPayload as exc:
        content, is_unicode = load_despite_surrogates(body, exc), False
    if not isinstance(content, dict):
        raise InvalidPayload("the body must be an object", code="invalid_shape")
    if is_too_deep(content):
        raise InvalidPayload(f"the body is nested deeper than {MAX_DEPTH} levels", code="too_deep")
    return content if is_unicode else _mended(content)


def _mended(value: Any) -> Any:
    """What OneSignal or its SDK cut inside an emoji isn't worth the click that it came with."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_mended(one) for one in value]
    if isinstance(value, dict):
        return {_mended(name): _mended(one) for name, one in value.items()}
    return value


def is_too_deep(event: dict[str, Any]) -> bool:
    """The event itself is the first level."""
    level: list[Any] = [event]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for node in level
            for child in (node.values() if type(node) is dict else node)
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return False
    return True
