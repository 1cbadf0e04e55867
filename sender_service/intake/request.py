"""A received trigger, from the log or over HTTP."""

from __future__ import annotations

from dataclasses import dataclass

from sender_service.intake.reserved import refuse_reserved
from sender_service.models.trigger import Terms, TriggerHead, parse_trigger
from sender_service.models.trigger_parts import Part, part_of
from shared.errors import Conflict, InvalidPayload


@dataclass(frozen=True)
class TriggerRequest:
    """A received trigger: head, trigger (or terms) or error, digest, and part of a list."""

    head: TriggerHead
    trigger: Terms | InvalidPayload
    digest: str
    part: Part | None = None


def parse_request(body: bytes) -> TriggerRequest:
    """Parse a trigger. Raises InvalidPayload if not even the head can be read."""
    head, trigger, digest = parse_trigger(body)
    return TriggerRequest(head, trigger, digest, part_of(body, trigger))


def check_written(trigger: Terms | InvalidPayload) -> Terms:
    """Return the terms of a hand-written trigger.

    Raises InvalidPayload, also for unknown keys and reserved fields, which a record may have.
    """
    if isinstance(trigger, InvalidPayload):
        raise trigger
    if trigger.unknown:
        first = trigger.unknown[0]
        raise InvalidPayload(f"{first.field}: {first.message}", errors=trigger.unknown)
    refuse_reserved(trigger)
    return trigger


def reused() -> Conflict:
    return Conflict("this id was a trigger with other content", code="trigger_id_reused")
