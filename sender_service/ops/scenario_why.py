"""Explanation of a person in a scenario: her runs, and what a look at her comes to now."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sender_service.accounting.explain import OutcomeExplainer
from sender_service.context import SenderContext
from sender_service.models.decide.app_rules import AppRules
from sender_service.models.decide.person import Person
from sender_service.models.scenario.firing import Firing
from sender_service.models.scenario.run import Run
from sender_service.ops.clock_why import ClockExplainer, to_clock_response
from sender_service.ops.decision_answers import decide_now
from sender_service.ops.responses.decisions import (
    ScenarioExplanationResponse,
)
from sender_service.ops.responses.people import ExplanationResponse, to_outcomes
from sender_service.ops.run_answers import to_run_response
from sender_service.ops.scenario_paths import existing_scenario
from sender_service.scenarios.build_rules import build_rules_loader
from sender_service.scenarios.people import PersonLoader
from sender_service.scenarios.rules import RulesLoader
from sender_service.store.person_data import PersonNames
from sender_service.store.scenarios import ScenarioStore
from shared.clock import Clock
from shared.errors import NotFound
from shared.models.quiet_hours import zone_for

MOST_RUNS = 20
MOST_SENDS = 10  # of her runs, whose outcomes are read


@dataclass(frozen=True, slots=True)
class ScenarioExplainer:
    """Reader of a person's runs. Methods raise StoreUnavailable when MongoDB is away."""

    scenarios: ScenarioStore
    people: PersonLoader
    rules: RulesLoader
    of_clock: ClockExplainer
    outcomes: OutcomeExplainer
    clock: Clock

    @classmethod
    def of(cls, context: SenderContext, outcomes: OutcomeExplainer) -> ScenarioExplainer:
        stores, clock = context.stores, context.clock
        rules = build_rules_loader(context)
        people = PersonLoader.of(stores, rules)
        of_clock = ClockExplainer(stores.firings, stores.contacts, clock)
        return cls(stores.scenarios, people, rules, of_clock, outcomes, clock)

    async def explain(self, known: PersonNames, name: str) -> ExplanationResponse:
        """Return the explanation, with outcomes of the newest send first. Raises NotFound."""
        scenario = await existing_scenario(self.scenarios, known.app, name)
        rules = await self.rules.load(scenario.app)
        person = None if rules is None else await self._person(rules, str(known.profile["_id"]))
        if rules is not None and person is not None:
            rules = await self._add_versions(rules, person)
        runs = [] if person is None else _newest(person.runs_of(scenario.id))
        zone = zone_for(known.profile["timeZone"], None if rules is None else rules.zone)
        fired = await self.of_clock.find(scenario, known, zone)
        outcomes = await self._outcomes(known, runs, fired)
        explanation = ScenarioExplanationResponse(
            id=scenario.id,
            name=scenario.name,
            version=scenario.version,
            enabled=scenario.enabled,
            runs=[to_run_response(run) for run in runs],
            firings=[to_clock_response(one, outcomes.get(one.id)) for one in fired],
            now=[]
            if person is None or rules is None
            else decide_now(person, scenario, rules, self.clock()),
        )
        items = [item for of_send in outcomes.values() for item in of_send]
        return ExplanationResponse(items=to_outcomes(items), scenario=explanation)

    async def _outcomes(
        self, known: PersonNames, runs: Sequence[Run], fired: Sequence[Firing]
    ) -> dict[str, list[dict[str, Any]]]:
        """Return send → her outcomes, of the newest pushes of her runs and of the clock's firings."""
        pushed = [(push.at, push.firing) for run in runs for push in run.pushes]
        newest = sorted(pushed, reverse=True)[:MOST_SENDS]
        times = {firing: at for at, firing in newest} | {one.id: one.due_at for one in fired}
        # An entry by the clock has its firing as its event.
        of_clock = {one.id for one in fired} | {run.entry.event for run in runs}
        found = {}
        for send in sorted(times, key=lambda one: (times[one], one), reverse=True):
            read = self.outcomes.of_segment if send in of_clock else self.outcomes.of_send
            with suppress(NotFound):  # it isn't planned yet, or is deleted by now
                found[send] = await read(known, send)
        return found

    async def _person(self, rules: AppRules, person: str) -> Person | None:
        return (await self.people.load(rules, [person], with_gap=True)).persons.get(person)

    async def _add_versions(self, rules: AppRules, person: Person) -> AppRules:
        waiting = {(run.scenario, run.version) for run in person.runs if run.ended is None}
        return await self.rules.add_versions(rules, waiting)


def _newest(runs: list[Run]) -> list[Run]:
    return sorted(runs, key=lambda run: (run.entry.at, run.id), reverse=True)[:MOST_RUNS]
