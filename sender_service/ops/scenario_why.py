"""Explanation of a person in a scenario: her runs, and what a look at her comes to now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sender_service.context import SenderContext
from sender_service.models.decide.app_rules import AppRules
from sender_service.models.decide.decide import decide, decide_waiting
from sender_service.models.decide.decision import (
    Decision,
    End,
    Enter,
    Push,
    Refuse,
    Skip,
    Stage,
    Wait,
)
from sender_service.models.decide.person import Person
from sender_service.models.decide.sentences import describe_check, describe_decision
from sender_service.models.decide.world import EMPTY_WORLD
from sender_service.models.scenario.entry_rules import is_of_moment
from sender_service.models.scenario.run import Entry, Run
from sender_service.models.scenario.run_name import run_name
from sender_service.models.scenario.scenario import Scenario
from sender_service.ops.responses.decisions import (
    CheckResponse,
    DecisionName,
    DecisionResponse,
    ScenarioExplanationResponse,
)
from sender_service.ops.run_answers import to_run_response
from sender_service.ops.scenario_paths import existing_scenario
from sender_service.scenarios.people import PersonLoader
from sender_service.scenarios.rules import RulesLoader
from sender_service.store.scenarios import ScenarioStore
from shared.clock import Clock

MOST_RUNS = 20
HYPOTHETICAL = "now"  # the event of an entry that nobody made


@dataclass(frozen=True, slots=True)
class ScenarioExplainer:
    """Reader of a person's runs. Methods raise StoreUnavailable when MongoDB is away."""

    scenarios: ScenarioStore
    people: PersonLoader
    rules: RulesLoader
    clock: Clock

    @classmethod
    def of(cls, context: SenderContext) -> ScenarioExplainer:
        stores = context.stores
        rules = RulesLoader(stores.scenarios, stores.campaigns, context.apps, context.monotonic)
        people = PersonLoader.of(stores, rules)
        return cls(stores.scenarios, people, rules, context.clock)

    async def explain(
        self, app: str, name: str, person: str
    ) -> tuple[ScenarioExplanationResponse, list[str]]:
        """Return the explanation, and the sends of her runs, the newest first. Raises NotFound."""
        scenario = await existing_scenario(self.scenarios, app, name)
        rules = await self.rules.load(scenario.app)
        known = None if rules is None else await self._person(rules, person)
        if rules is not None and known is not None:
            rules = await self._add_versions(rules, known)
        runs = [] if known is None else _newest(known.runs_of(scenario.id))
        pushes = sorted((p for run in runs for p in run.pushes), key=lambda p: p.at, reverse=True)
        now = (
            [] if known is None or rules is None else _decide(known, scenario, rules, self.clock())
        )
        explanation = ScenarioExplanationResponse(
            id=scenario.id,
            name=scenario.name,
            version=scenario.version,
            enabled=scenario.enabled,
            runs=[to_run_response(run) for run in runs],
            now=now,
        )
        return explanation, list(dict.fromkeys(push.firing for push in pushes))

    async def _person(self, rules: AppRules, person: str) -> Person | None:
        return (await self.people.load(rules, [person], with_gap=True)).persons.get(person)

    async def _add_versions(self, rules: AppRules, person: Person) -> AppRules:
        waiting = {(run.scenario, run.version) for run in person.runs if run.ended is None}
        return await self.rules.add_versions(rules, waiting)


def _newest(runs: list[Run]) -> list[Run]:
    return sorted(runs, key=lambda run: (run.entry.at, run.id), reverse=True)[:MOST_RUNS]


def _decide(
    person: Person, scenario: Scenario, rules: AppRules, now: datetime
) -> list[DecisionResponse]:
    """Decide on her waiting runs of the scenario, else on an entry now."""
    found = [
        _show(decision, run_name(run), run.step)
        for run, decision in decide_waiting(person, rules, now)
        if run.scenario == scenario.id
    ]
    present = rules.of_version(scenario.id, scenario.version)
    if found or present is None:
        return found
    stage: Stage = "entry" if is_of_moment(scenario.entry) else "planning"
    entry = Entry(at=now, event=HYPOTHETICAL)
    decision = decide(person, entry, present, EMPTY_WORLD, now, stage)
    return [_show(decision, None, scenario.steps[0].id)]


def _show(decision: Decision, run: str | None, step: str | None) -> DecisionResponse:
    at = None
    if isinstance(decision, Enter):
        at = decision.due
    elif isinstance(decision, Wait):
        at = decision.until
    return DecisionResponse(
        run=run,
        result=_NAMES[type(decision)],
        step=step,
        why=decision.why if isinstance(decision, Skip | End | Refuse) else None,
        at=at,
        sentence=describe_decision(decision, step),
        checks=[
            CheckResponse(rule=one.rule, ok=one.ok, detail=one.detail, sentence=describe_check(one))
            for one in decision.trace
        ],
    )


_NAMES: dict[type[Decision], DecisionName] = {
    Enter: "enter", Wait: "wait", Push: "push", Skip: "skip", End: "end", Refuse: "refuse",
}  # fmt: skip
