"""Firings: documents that are written before a scenario acts, whose id its send gets. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, NamedTuple

import orjson

from sender_service.models.scenario.run import Entry, RunPush
from sender_service.models.scenario.scenario import Scenario
from shared.ids import derived_id
from shared.models.wire import to_iso

FiringState = Literal["open", "claimed", "handed", "settled", "late"]
LATE = "late"
NO_PLAYER = "no_player"  # of a person whom no page has: she had no browser to push to


class StepKey(NamedTuple):
    """Step of a scenario's version: a firing pushes one.

    `expires`: that firing does. It is later for those whose night is near.
    """

    scenario: str
    version: int
    step: str
    expires: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Run whose step a firing pushes, and its person."""

    run: str
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """Occurrence of a scenario's clock. `at`: when its people enter; `due`: when they are pushed.

    `day`: the local day, where the time is in each person's zone. `slot`: of the spread; None: no slot.
    """

    name: str
    at: datetime
    due: datetime
    day: date | None = None
    slot: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """A step's push to some members, or where the clock fires to a segment (None: to all people).

    `members` are candidates while it is open, then those that were claimed. `counts`: members, or
    people of the segment, by result.
    """

    id: str
    app: str
    scenario: str
    version: int
    step: str
    campaign: str
    made_at: datetime
    due_at: datetime
    expires_at: datetime
    expire_at: datetime  # when it is deleted, as its send
    members: tuple[Member, ...] = ()
    segment: Mapping[str, Any] | None = None
    occurrence: Occurrence | None = None
    state: FiringState = "open"
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepClaim:
    """Change by which a firing takes a step of its candidates: one for all of them.

    Only runs that wait at `step`, under `version`, and are due by `until` are taken.
    """

    version: int
    step: str
    until: datetime
    push: RunPush
    next_step: str | None
    basis: datetime
    due: datetime


def firing_id(app: str, n: int, made_at: datetime) -> str:
    """Return the id of a waker's n-th firing of an app."""
    return derived_id("firing", app, str(n), to_iso(made_at))


def occurrence_id(app: str, scenario: str, occurrence: str) -> str:
    """Return the id of the firing for an occurrence of the clock, or a catalogue's digest."""
    return derived_id("occurrence", app, scenario, occurrence)


def entry_of(firing: Firing) -> Entry | None:
    """Return the entry that an occurrence of the clock is to its people; None of other firings."""
    one = firing.occurrence
    return None if one is None else Entry(at=one.at, event=firing.id)


def in_time_until(firing: Firing, own: Scenario, present: Scenario) -> datetime:
    """Return until when an open firing may be handed over, by what `maxLate` is in both versions."""
    max_late = min(own.max_late, present.max_late)
    if firing.occurrence is not None:
        return firing.due_at + max_late
    # It was made to expire so long after its claim, or after the end of a night.
    sooner = firing.expires_at - (own.max_late - max_late)
    return min(firing.expires_at, max(firing.made_at + max_late, sooner))


def trigger_of(firing: Firing) -> bytes:
    """Return the trigger of a firing as it is stored, so each time the same."""
    people: dict[str, Any]
    if firing.segment is not None:
        people = {"audience": {"segment": firing.segment}}
    elif firing.occurrence is not None:
        people = {"audience": {"all": True}}
    else:
        people = {"recipients": [{"person": member.person} for member in firing.members]}
    return orjson.dumps(
        {
            "id": firing.id,
            "app": firing.app,
            "campaign": firing.campaign,
            "priority": "triggered",
            "scenario": {
                "id": firing.scenario,
                "step": firing.step,
                "version": firing.version,
            },
            "expiresAt": to_iso(firing.expires_at),
            **people,
        }
    )
