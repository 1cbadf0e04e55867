"""People of a scenario's preview: what an entry or a look would come to now, and their variables. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sender_service.models.decide.app_rules import AppRules
from sender_service.models.decide.decide import decide, decide_waiting
from sender_service.models.decide.decision import Decision, End, Push, Refuse, Skip, Stage
from sender_service.models.decide.made_entry import LATELY, make_entry
from sender_service.models.decide.person import Person
from sender_service.models.decide.rules import Rules
from sender_service.models.decide.stepping import push_now
from sender_service.models.decide.world import EMPTY_WORLD
from sender_service.models.scenario.entry_rules import is_of_moment
from sender_service.models.scenario.run import Entry, Run


class StepCampaign(NamedTuple):
    """Step, and the campaign that it pushes: a run's is of the version by which she entered."""

    step: str
    campaign: str


@dataclass(slots=True)
class StepPushes:
    """Pushes of a step. `variables`: by person, of those who would be pushed; `skipped`: by reason."""

    variables: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    skipped: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class PreviewCounts:
    """Counts of a preview: entries by `enter` or why not, looks by result and reason, and pushes."""

    entries: Counter[str] = field(default_factory=Counter)
    looks: Counter[tuple[str, str]] = field(default_factory=Counter)
    pushes: dict[StepCampaign, StepPushes] = field(default_factory=lambda: defaultdict(StepPushes))

    def add_entry(self, person: Person, rules: Rules, now: datetime) -> None:
        """Judge an entry of now, where the profile shows that the person may enter."""
        entry = make_entry(rules.own.entry, person, now, LATELY)
        if entry is None:
            return
        stage: Stage = "entry" if is_of_moment(rules.own.entry) else "planning"
        decision = decide(person, entry, rules, EMPTY_WORLD, now, stage)
        if isinstance(decision, Refuse | End):
            self.entries[decision.why] += 1
            return
        self.entries["enter"] += 1
        self._add_push(person, entry, rules.own.steps[0].id, rules, now)

    def add_looks(self, person: Person, runs: set[str], rules: AppRules, now: datetime) -> None:
        """Judge these runs of the person, as a look at all that wait would now."""
        for run, decision in decide_waiting(person, rules, now):
            if run.id not in runs:
                continue
            self.looks[_result_of(decision)] += 1
            own = rules.of_version(run.scenario, run.version)
            if isinstance(decision, Push) and run.step is not None and own is not None:
                self._add_push(person, run, run.step, own, now)

    def _add_push(
        self, person: Person, subject: Run | Entry, id: str, rules: Rules, now: datetime
    ) -> None:
        step = rules.own.step(id)
        if step is None:
            return
        pushes = self.pushes[StepCampaign(id, step.campaign)]
        found = push_now(person, subject, step, rules, now)
        if isinstance(found, Skip):
            pushes.skipped[found.why] += 1
        else:
            pushes.variables[person.id] = found.variables


def _result_of(decision: Decision) -> tuple[str, str]:
    name = type(decision).__name__.lower()
    return name, decision.why if isinstance(decision, Skip | End) else ""
