"""Which part of a list a trigger brings, and what all of them must say alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sender_service.models.trigger import MAX_PARTS, Trigger, digest_of
from shared.errors import InvalidPayload
from shared.models.wire import load_json


@dataclass(frozen=True)
class Part:
    """Which part of how many a trigger says it is, and the digest of what all parts share.

    `number` is 0 where that can't be told; `shared` is empty where it can't be read.
    """

    number: int
    of: int
    shared: str


def part_of(body: bytes, trigger: Trigger | InvalidPayload) -> Part | None:
    """None for a trigger that is whole. Also a broken one says, where it can, which part it is."""
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
