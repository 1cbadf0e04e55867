"""Decisions about a person now, as the API answers them: each rule with a sentence."""

from __future__ import annotations

from datetime import datetime

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
from sender_service.models.scenario.run import Entry
from sender_service.models.scenario.run_name import run_name
from sender_service.models.scenario.scenario import Scenario
from sender_service.ops.responses.decisions import CheckResponse, DecisionName, DecisionResponse

HYPOTHETICAL = "now"  # the event of an entry that nobody made


def decide_now(
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
