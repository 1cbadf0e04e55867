"""Looks at people whom the clock enters, while its firing's send is planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sender_service.models.scenario.run import Run
from sender_service.planner.planning_look import PlanningLook, with_look
from sender_service.planner.target import Candidate
from sender_service.scenarios.fired_send import Occasion
from shared.clock import Clock


@dataclass(frozen=True, slots=True)
class ClockLook(PlanningLook):
    occasion: Occasion
    clock: Clock

    async def decide(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        profiles = [one.profile for one in candidates if one.profile is not None]
        looks = await self.occasion.look(profiles, self.clock())
        return [
            with_look(one, looks[one.profile["_id"]])
            for one in candidates
            if one.profile is not None and one.profile["_id"] in looks
        ]

    async def begin(self, runs: Sequence[Run]) -> set[str]:
        return await self.occasion.begin(runs)

    async def note_refused(self, counts: Mapping[str, int]) -> None:
        await self.occasion.note_refused(counts)
