"""Looks at the candidates of a scenario's send: each carries the decision, and what its texts need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sender_service.models.send import SendRow
from sender_service.planner.planning_look import PlanningLook, with_look
from sender_service.planner.target import Candidate, NamesUnknown, Target
from sender_service.scenarios.fired_send import FiredSend, Looks
from shared.clock import Clock


@dataclass(frozen=True, slots=True)
class ScenarioLook(PlanningLook):
    """Look at planning. `can_postpone`: who isn't clear yet may be looked at a little later."""

    send: FiredSend
    reader: Looks
    clock: Clock
    can_postpone: bool

    @classmethod
    def of(
        cls, reader: Looks | None, send: SendRow, target: Target, clock: Clock
    ) -> ScenarioLook | None:
        """Return the look at a scenario's send; None of other sends."""
        if reader is None or send.scenario is None:
            return None
        fired = FiredSend(send.id, send.app, send.scenario)
        return cls(fired, reader, clock, target.can_postpone)

    async def decide(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Return the candidates with their looks. Raises StoreUnavailable, NamesUnknown."""
        asked = {name: () for one in candidates for name in _names_of(one)}
        known = [one.profile for one in candidates if one.profile is not None]
        looks = await self.reader.look(self.send, asked, self.clock(), "planning", known)
        if self.can_postpone and any(look.is_unclear for look in looks.values()):
            raise NamesUnknown
        return [
            with_look(one, looks[names[0]]) if (names := _names_of(one)) else one
            for one in candidates
        ]


def _names_of(candidate: Candidate) -> tuple[str, ...]:
    """Return the ids by which the person is known: those of the list, else the profile's."""
    if candidate.persons or candidate.profile is None:
        return candidate.persons
    return (candidate.profile["_id"],)
