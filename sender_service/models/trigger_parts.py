"""The part of a list in a trigger, and the terms that all parts share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sender_service.models.trigger import MAX_PARTS, Trigger, digest_of
from shared.errors import InvalidPayload
from shared.models.wire import load_json


@dataclass(frozen=True)
class Part:
    """A part's number, the count of parts, and the digest of the shared terms.

    `number` is 0 if it is unknown; `shared` is empty if the terms can't be read.
    """

    number: int
    of: int
    shared: str


def part_of(body: bytes, trigger: Trigger | InvalidPayload) -> Part | None:
    """Return the trigger's part; None for a whole trigger. An invalid trigger has one too, if it
    can be read."""
    if isinstance(trigger, Trigger):
        if trigger.part is None or trigger.parts is None:
            return None
        return Part(trigger.part, trigger.parts, digest_of(trigger.terms.document()))
    value = load_json(body)
    if "part" not in value and "parts" not in value:
        return None
    return Part(_counted(value.get("part")), _counted(value.get("parts")), "")


def _counted(value: Any) -> int:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and 1 <= value <= MAX_PARTS else 0
