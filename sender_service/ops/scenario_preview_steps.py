"""Steps of a scenario's preview: their pushes are planned, and thrown away."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from sender_service.models.decide.previewing import StepCampaign, StepPushes
from sender_service.models.recipient import Recipient
from sender_service.models.scenario.scenario import Scenario
from sender_service.models.trigger import Terms
from sender_service.ops.responses.base import WarningResponse
from sender_service.ops.responses.preview import PreviewResponse
from sender_service.ops.responses.scenario_preview import StepPreviewResponse
from sender_service.planner.dry_run_limits import DryRunLimits
from shared.clock import Monotonic
from shared.errors import Rejected

TEXTS = 20
STEPS_SECONDS = 20.0  # in which all steps are planned; then counts are extrapolated
SendPreview = Callable[[Terms, list[Recipient], DryRunLimits], Awaitable[PreviewResponse]]


@dataclass(frozen=True, slots=True)
class StepPlanner:
    """Planner of a scenario's steps. Methods raise StoreUnavailable when MongoDB is away."""

    scenario: Scenario
    plan_send: SendPreview
    monotonic: Monotonic

    async def plan(self, pushes: Mapping[StepCampaign, StepPushes]) -> list[StepPreviewResponse]:
        """Plan the pushes of each step, together within a time, and with texts of each that has any."""
        until = self.monotonic() + STEPS_SECONDS
        left = TEXTS
        share = max(1, TEXTS // max(1, sum(bool(one.variables) for one in pushes.values())))
        # Steps of versions by which people entered, and that the present one lacks, come last.
        steps = {StepCampaign(one.id, one.campaign): StepPushes() for one in self.scenario.steps}
        found = []
        for key, of_step in {**steps, **pushes}.items():
            step = StepPreviewResponse(
                step=key.step, campaign=key.campaign, people=len(of_step.variables),
                skipped=dict(of_step.skipped), preview=None,
            )  # fmt: skip
            if of_step.variables:
                seconds = max(0.0, until - self.monotonic())
                limits = DryRunLimits(len(of_step.variables), seconds, min(share, left))
                step = await self._plan(step, of_step, limits)
                left -= 0 if step.preview is None else len(step.preview.samples)
            found.append(step)
        return found

    async def _plan(
        self, step: StepPreviewResponse, pushes: StepPushes, limits: DryRunLimits
    ) -> StepPreviewResponse:
        """Return the step with the preview of its send, or why there is none."""
        names = [
            Recipient(person=one, variables=dict(pushes.variables[one]))
            for one in sorted(pushes.variables)
        ]
        try:
            preview = await self.plan_send(self._terms(step), names, limits)
        except Rejected as exc:
            problem = WarningResponse(field="campaign", code=exc.code, message=exc.message)
            return step.model_copy(update={"problem": problem})
        return step.model_copy(update={"preview": preview})

    def _terms(self, step: StepPreviewResponse) -> Terms:
        """Return the terms of the step's send; its names are given beside them."""
        version = max(1, self.scenario.version)  # a draft has none
        return Terms.model_validate(
            {
                "id": str(uuid.uuid4()),
                "app": self.scenario.app,
                "campaign": step.campaign,
                "priority": "triggered",
                "scenario": {"id": self.scenario.id, "step": step.step, "version": version},
            }
        )
