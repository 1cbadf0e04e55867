"""Bounds of a scenario's preview: its steps share a time and a number of texts."""

from __future__ import annotations

from dataclasses import dataclass, field

from sender_service.models.decide.previewing import StepCampaign, StepPushes
from sender_service.models.recipient import Recipient
from sender_service.models.trigger import Terms
from sender_service.ops.examples import PREVIEW
from sender_service.ops.responses.preview import PreviewResponse
from sender_service.ops.scenario_preview_steps import STEPS_SECONDS, TEXTS, StepPlanner
from sender_service.planner.dry_run_limits import DryRunLimits
from tests.support.clocks import ManualClock
from tests.unit.sender.scenario_builders import scenario, step


@dataclass
class SlowPlanning:
    """Preview of a send that takes some seconds, and shows as many texts as it may."""

    clock: ManualClock
    seconds: float = 0.0
    limits: list[DryRunLimits] = field(default_factory=list)

    async def plan(
        self, _terms: Terms, _names: list[Recipient], limits: DryRunLimits
    ) -> PreviewResponse:
        self.clock.advance(self.seconds)
        self.limits.append(limits)
        preview = PreviewResponse.model_validate(PREVIEW)
        return preview.model_copy(update={"samples": preview.samples[:1] * limits.samples})


async def limits_of(steps: int, seconds: float = 0.0, versions: int = 1) -> list[DryRunLimits]:
    """Return the limits by which steps were planned, each of two people and of so many versions."""
    clock = ManualClock()
    planning = SlowPlanning(clock, seconds)
    own = scenario(*(step(f"s{n}") for n in range(steps)))
    pushes = {
        StepCampaign(one.id, f"{one.campaign}-{version}"): StepPushes({"ann": {}, "bob": {}})
        for one in own.steps
        for version in range(versions)
    }
    found = await StepPlanner(own, planning.plan, clock.monotonic).plan(pushes)
    assert len(found) == steps * (versions + 1)  # those of the present version push nobody
    return planning.limits


async def test_steps_share_the_texts() -> None:
    assert [one.samples for one in await limits_of(1)] == [TEXTS]
    assert [one.samples for one in await limits_of(3)] == [6, 6, 6]
    of_many = [one.samples for one in await limits_of(10, versions=3)]
    assert of_many == [1] * TEXTS + [0] * 10


async def test_steps_share_the_time() -> None:
    limits = await limits_of(4, seconds=8.0)
    assert [one.seconds for one in limits] == [STEPS_SECONDS, 12.0, 4.0, 0.0]
    assert {one.people for one in limits} == {2}
