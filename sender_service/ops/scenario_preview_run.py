"""Run of a scenario's preview: people and runs are looked at, and their pushes planned and thrown away."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime

from sender_service.models.decide.app_rules import AppRules
from sender_service.models.decide.made_entry import condition_of_entering
from sender_service.models.decide.previewing import PreviewCounts, StepCampaign, StepPushes
from sender_service.models.recipient import Recipient
from sender_service.models.scenario.run import Run
from sender_service.models.scenario.scenario import Scenario
from sender_service.models.trigger import Terms
from sender_service.models.unknown_app import UnknownApp
from sender_service.ops.context import OpsContext
from sender_service.ops.preview_request import PreviewRequest
from sender_service.ops.preview_run import run_preview
from sender_service.ops.responses.base import WarningResponse
from sender_service.ops.responses.scenario_preview import (
    ScenarioPreviewResponse,
    StepPreviewResponse,
)
from sender_service.ops.scenario_checks import unmet_requirements
from sender_service.ops.scenario_preview_response import entries_of, runs_of, to_problems
from sender_service.ops.unknown_app import require_known_app
from sender_service.planner.audience import AudienceReader
from sender_service.planner.dry_run import DryRunLimits
from sender_service.planner.target import Target
from sender_service.scenarios.people import PersonLoader
from sender_service.scenarios.rules import RulesLoader
from sender_service.yield_timer import YieldTimer
from shared.errors import Rejected

READING_SECONDS = 10.0  # of people, and again of runs; checked between reads
PLANNING_SECONDS = 20.0  # of all steps together
RUNS_AT_ONCE = 500
TEXTS = 20


@dataclass(frozen=True, slots=True)
class ScenarioPreviewer:
    """Previews scenarios. Methods raise StoreUnavailable when MongoDB is away."""

    context: OpsContext
    people: PersonLoader
    rules: RulesLoader

    @classmethod
    def of(cls, context: OpsContext) -> ScenarioPreviewer:
        stores = context.stores
        rules = RulesLoader(stores.scenarios, stores.campaigns, context.apps, context.monotonic)
        return cls(context, PersonLoader.of(stores, rules), rules)

    async def preview(
        self, scenario: Scenario, people: int, *, is_draft: bool
    ) -> ScenarioPreviewResponse:
        """Return the preview of a scenario, which counts as the present version. Raises UnknownApp."""
        await require_known_app(self.context.apps, scenario.app)
        rules, app = await self.rules.load(scenario.app), self.context.apps.get(scenario.app)
        if rules is None or app is None:
            raise UnknownApp(scenario.app)
        rules = await self.rules.put_draft(rules, scenario)
        counts, now = PreviewCounts(), self.context.clock()
        all_people = await self._add_entries(counts, scenario, rules, people, now)
        all_runs = await self._add_runs(counts, scenario, rules, people, now)
        unmet = await unmet_requirements(self.context.stores.campaigns, app, scenario)
        return ScenarioPreviewResponse(
            app=scenario.app,
            scenario=scenario.id,
            draft=is_draft,
            problems=to_problems(unmet),
            entries=entries_of(counts, exact=all_people),
            runs=runs_of(counts, exact=all_runs),
            steps=await self._steps(counts, scenario),
        )

    async def _add_entries(
        self, counts: PreviewCounts, scenario: Scenario, rules: AppRules, most: int, now: datetime
    ) -> bool:
        """Judge entries of people who may enter; return whether all were looked at."""
        own = rules.of_version(scenario.id, scenario.version)
        assert own is not None  # it is the present one
        stores, until, read = self.context.stores, self._end_of(READING_SECONDS), 0
        who = condition_of_entering(scenario.entry, scenario.condition)
        audience, turns = AudienceReader(stores.people, stores.parts), YieldTimer()
        async with aclosing(
            audience.batches(Target(scenario.app, now, segment=who), None)
        ) as found:
            async for batch in found:
                profiles = [one.profile for one in batch.candidates if one.profile is not None]
                for person in await self.people.of_profiles(rules, profiles[: most - read]):
                    counts.add_entry(person, own, now)
                    await turns.yield_if_due()
                read += len(profiles)
                if read >= most or self.context.monotonic() > until:
                    return batch.share >= 1 and read <= most
        return True

    async def _add_runs(
        self, counts: PreviewCounts, scenario: Scenario, rules: AppRules, most: int, now: datetime
    ) -> bool:
        """Look at runs that wait; return whether all were looked at."""
        until, left, after = self._end_of(READING_SECONDS), most, ""
        while True:
            runs = await self.context.stores.runs.find(
                scenario.app, scenario.id, state="waiting", after=after, limit=RUNS_AT_ONCE
            )
            await self._look(counts, runs[:left], rules, now)
            if len(runs) > left:
                return False
            if len(runs) < RUNS_AT_ONCE:
                return True
            left, after = left - len(runs), runs[-1].id
            if self.context.monotonic() > until:
                return False

    async def _look(
        self, counts: PreviewCounts, runs: Sequence[Run], rules: AppRules, now: datetime
    ) -> None:
        """Look at the runs, beside all others of their people: those that are due compete."""
        turns = YieldTimer()
        loaded = await self.people.load(rules, {run.person for run in runs}, with_gap=True)
        persons = {one.id: one for one in loaded.persons.values()}
        waiting = {
            (run.scenario, run.version)
            for one in persons.values()
            for run in one.runs
            if run.ended is None
        }
        rules = await self.rules.add_versions(rules, waiting)
        ids = {run.id for run in runs}
        for person in persons.values():
            counts.add_looks(person, ids, rules, now)
            await turns.yield_if_due()

    async def _steps(self, counts: PreviewCounts, scenario: Scenario) -> list[StepPreviewResponse]:
        """Plan the pushes of each step. The texts are divided among those that have any."""
        until = self._end_of(PLANNING_SECONDS)
        with_people = sum(bool(one.variables) for one in counts.pushes.values())
        texts = max(1, TEXTS // max(1, with_people))
        # Steps of versions by which people entered, and that the present one lacks, come last.
        steps = {StepCampaign(one.id, one.campaign): StepPushes() for one in scenario.steps}
        found = []
        for key, pushes in (steps | counts.pushes).items():
            step = StepPreviewResponse(
                step=key.step, campaign=key.campaign, people=len(pushes.variables),
                skipped=dict(pushes.skipped), preview=None,
            )  # fmt: skip
            if pushes.variables:
                seconds = max(0.0, until - self.context.monotonic())
                limits = DryRunLimits(len(pushes.variables), seconds, texts)
                step = await self._plan(scenario, step, pushes, limits)
            found.append(step)
        return found

    async def _plan(
        self,
        scenario: Scenario,
        step: StepPreviewResponse,
        pushes: StepPushes,
        limits: DryRunLimits,
    ) -> StepPreviewResponse:
        """Return the step with the preview of its send, or why there is none."""
        names = [
            Recipient(person=one, variables=dict(pushes.variables[one]))
            for one in sorted(pushes.variables)
        ]
        request = PreviewRequest(_terms_of(scenario, step), names)
        try:
            preview = await run_preview(self.context, request, limits)
        except Rejected as exc:
            problem = WarningResponse(field="campaign", code=exc.code, message=exc.message)
            return step.model_copy(update={"problem": problem})
        return step.model_copy(update={"preview": preview})

    def _end_of(self, seconds: float) -> float:
        return self.context.monotonic() + seconds


def _terms_of(scenario: Scenario, step: StepPreviewResponse) -> Terms:
    """Return the terms of the step's send; its names are given beside them."""
    version = max(1, scenario.version)  # a draft has none
    return Terms.model_validate(
        {
            "id": str(uuid.uuid4()),
            "app": scenario.app,
            "campaign": step.campaign,
            "priority": "triggered",
            "scenario": {"id": scenario.id, "step": step.step, "version": version},
        }
    )
