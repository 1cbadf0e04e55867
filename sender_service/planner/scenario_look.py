"""Looks at the candidates of a scenario's send: each carries the decision, and what its texts need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sender_service.models.send import SendRow
from sender_service.planner.planning_look import PlanningLook, with_look
from sender_service.planner.target import Candidate, MergeUnclear
from sender_service.scenarios.fired_send import FiredSend, Looks
from shared.clock import Clock

# A person is unclear for a minute at most, but others of the send may be merged meanwhile.
LONGEST_UNCLEAR = timedelta(minutes=2)
UNCLEAR_PAUSE = timedelta(seconds=5)  # before the send is planned again


@dataclass(frozen=True, slots=True)
class ScenarioLook(PlanningLook):
    """Look at planning. `waits_until`: until then who isn't clear yet is looked at a little later."""

    send: FiredSend
    reader: Looks
    clock: Clock
    waits_until: datetime

    @classmethod
    def of(cls, reader: Looks | None, send: SendRow, clock: Clock) -> ScenarioLook | None:
        """Return the look at a scenario's send; None of other sends."""
        if reader is None or send.scenario is None:
            return None
        fired = FiredSend(send.id, send.app, send.scenario)
        return cls(fired, reader, clock, send.created_at + LONGEST_UNCLEAR)

    async def decide(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Return the candidates with their looks. Raises StoreUnavailable, MergeUnclear."""
        asked = {name: () for one in candidates for name in _names_of(one)}
        known = [one.profile for one in candidates if one.profile is not None]
        now = self.clock()
        looks = await self.reader.look(self.send, asked, now, "planning", known)
        if now < self.waits_until and any(look.is_unclear for look in looks.values()):
            raise MergeUnclear
        return [
            with_look(one, looks[names[0]]) if (names := _names_of(one)) else one
            for one in candidates
        ]


def _names_of(candidate: Candidate) -> tuple[str, ...]:
    """Return the ids by which the person is known: those of the list, else the profile's."""
    if candidate.persons or candidate.profile is None:
        return candidate.persons
    return (candidate.profile["_id"],)
