"""Run of a scenario's preview: people and runs are looked at, and their pushes planned and thrown away."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime

from sender_service.context import SenderContext
from sender_service.models.decide.app_rules import AppRules
from sender_service.models.decide.made_entry import condition_of_entering
from sender_service.models.decide.previewing import PreviewCounts
from sender_service.models.scenario.run import Run
from sender_service.models.scenario.scenario import Scenario
from sender_service.models.unknown_app import UnknownApp
from sender_service.ops.responses.base import WarningResponse
from sender_service.ops.responses.scenario_preview import (
    EntriesPreviewResponse,
    RunsPreviewResponse,
    ScenarioPreviewResponse,
    StepPreviewResponse,
)
from sender_service.ops.scenario_checks import unmet_requirements
from sender_service.ops.scenario_preview_steps import SendPreview, StepPlanner
from sender_service.ops.unknown_app import require_known_app
from sender_service.planner.audience import AudienceReader
from sender_service.planner.target import Target
from sender_service.scenarios.build_rules import build_rules_loader
from sender_service.scenarios.people import PersonLoader
from sender_service.scenarios.rules import RulesLoader
from sender_service.yield_timer import YieldTimer
from shared.errors import FieldError

READING_SECONDS = 10.0  # of people, and again of runs; checked between reads
RUNS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class ScenarioPreviewer:
    """Previews scenarios. Methods raise StoreUnavailable when MongoDB is away."""

    context: SenderContext
    people: PersonLoader
    rules: RulesLoader
    plan: SendPreview

    @classmethod
    def of(cls, context: SenderContext, plan: SendPreview) -> ScenarioPreviewer:
        stores = context.stores
        rules = build_rules_loader(context)
        return cls(context, PersonLoader.of(stores, rules), rules, plan)

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
            problems=_to_problems(unmet),
            entries=_entries_of(counts, exact=all_people),
            runs=_runs_of(counts, exact=all_runs),
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

    async def _steps(self, counts: PreviewCounts, scenario: Scenario) -> list[StepPreviewResponse]:
        planner = StepPlanner(scenario, self.plan, self.context.monotonic)
        return await planner.plan(counts.pushes)

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

    def _end_of(self, seconds: float) -> float:
        return self.context.monotonic() + seconds


def _to_problems(unmet: Sequence[FieldError]) -> list[WarningResponse]:
    return [WarningResponse(field=one.field, code=one.code, message=one.message) for one in unmet]


def _entries_of(counts: PreviewCounts, *, exact: bool) -> EntriesPreviewResponse:
    refused = {why: count for why, count in counts.entries.items() if why != "enter"}
    return EntriesPreviewResponse(
        looked=counts.entries.total(), exact=exact, enter=counts.entries["enter"], refused=refused
    )


def _runs_of(counts: PreviewCounts, *, exact: bool) -> RunsPreviewResponse:
    def by_why(result: str) -> dict[str, int]:
        return {why: count for (name, why), count in counts.looks.items() if name == result}

    return RunsPreviewResponse(
        looked=counts.looks.total(),
        exact=exact,
        push=counts.looks["push", ""],
        wait=counts.looks["wait", ""],
        skip=by_why("skip"),
        end=by_why("end"),
    )
