"""Due runs of people: what becomes of each, and which of them one firing pushes. Pure.

Of runs of one person that are due together the one of the highest priority goes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sender_service.models.decide.app_rules import AppRules
from sender_service.models.decide.decide import decide_together
from sender_service.models.decide.decision import Decision, End, Push, Skip, Wait
from sender_service.models.decide.due import expiry_of
from sender_service.models.decide.person import Person
from sender_service.models.decide.progress import end_run, proceed
from sender_service.models.decide.rules import Rules
from sender_service.models.decide.world import World
from sender_service.models.scenario.firing import StepKey
from sender_service.models.scenario.run import Run


@dataclass(slots=True)
class Candidates:
    """Candidates of a step, one run a person: her other ones come with a later firing."""

    rules: Rules
    runs: dict[str, Run] = field(default_factory=dict)


@dataclass(slots=True)
class Woken:
    """Runs after a look: `changed` ones to store, and the candidates by step.

    `results`: decisions by name and reason.
    """

    changed: list[Run] = field(default_factory=list)
    candidates: dict[StepKey, Candidates] = field(default_factory=dict)
    results: Counter[tuple[str, str]] = field(default_factory=Counter)

    def look_at(
        self, person: Person, due: Iterable[Run], rules: AppRules, world: World, now: datetime
    ) -> None:
        """Decide on the person's due runs."""
        known: dict[str, Rules] = {}
        of_runs: list[tuple[Run, Rules]] = []
        for run in due:
            own = rules.of_version(run.scenario, run.version)
            if own is None:  # not even the version is there under which she entered
                self._note(end_run(run, "deleted", now), End("deleted"))
            else:
                known[run.id] = own
                of_runs.append((run, own))
        for run, decision in decide_together(person, of_runs, world, now):
            self._take(run, decision, person, known[run.id], now)

    def _take(
        self, run: Run, decision: Decision, person: Person, rules: Rules, now: datetime
    ) -> None:
        match decision:
            case Wait() | Skip() | End():
                self._note(proceed(run, decision, person, rules, now), decision)
            case Push() if run.step is not None:
                expires = expiry_of(rules.own.step(run.step), person, rules, now)
                key = StepKey(run.scenario, run.version, run.step, expires)
                candidates = self.candidates.setdefault(key, Candidates(rules))
                if candidates.runs.setdefault(person.id, run) is run:
                    self.results["push", ""] += 1

    def _note(self, run: Run, decision: Wait | Skip | End) -> None:
        self.changed.append(run)
        self.results[_result_of(decision)] += 1


def _result_of(decision: Wait | Skip | End) -> tuple[str, str]:
    """Return the name of the decision, and its reason."""
    match decision:
        case Wait():
            return "wait", ""
        case Skip():
            return "skip", decision.why
        case End():
            return "end", decision.why
