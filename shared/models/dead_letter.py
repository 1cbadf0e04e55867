"""Value of `carillon.dead-letters`: a record that can't be handled, where it came from and why."""

from __future__ import annotations

import base64
from typing import Any, Literal

import orjson

from shared.models.wire import Moment, Wire, is_deep


class DeadLetter(Wire):
    """Dead letter as published. `key` and `value` are base64 of the record's bytes, whatever they are."""

    v: Literal[1] = 1
    id: str
    stage: str
    topic: str
    partition: int
    offset: int
    type: str
    key: str
    value: str
    truncated: bool = False  # only the beginning is here: it was too large to be kept whole
    code: str
    message: str
    at: Moment

    @staticmethod
    def pack(raw: bytes) -> str:
        return base64.b64encode(raw).decode()

    @staticmethod
    def unpack(text: str) -> bytes:
        return base64.b64decode(text)

    @classmethod
    def decode(cls, packed: str) -> Any:
        """Return a key or value for people: JSON that isn't too deep to be answered, or text."""
        raw = cls.unpack(packed)
        try:
            value = orjson.loads(raw)
            if not is_deep(value):
                return value
        except orjson.JSONDecodeError:
            pass
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return {"base64": packed}
