"""Simulation of a person by her history: the rules of live decisions, at the same times. Pure.

Moments are looked at when they were read, runs when they are due. A push that is planned counts as sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sender_service.models.decide.app_rules import AppRules
from sender_service.models.decide.decide import decide, decide_together
from sender_service.models.decide.decision import (
    Decision,
    End,
    Push,
    Skip,
    Wait,
    why_not_applicable,
)
from sender_service.models.decide.folded_history import FoldedHistory
from sender_service.models.decide.person import Person
from sender_service.models.decide.progress import give_back, note_items, proceed, push_run
from sender_service.models.decide.reaction import react
from sender_service.models.decide.relevance import kinds_that_matter, matters
from sender_service.models.decide.rules import Rules
from sender_service.models.decide.simulated_person import RefusedEntry, SimulatedPerson
from sender_service.models.decide.world import EMPTY_WORLD
from sender_service.models.scenario.firing import NO_PLAYER
from sender_service.models.scenario.history import HeardMoment
from sender_service.models.scenario.run import FiredStep, Run
from sender_service.models.send import EVER, NEVER

MAX_LOOKS = 2_000  # at one person


class TooManyLooks(Exception):
    """Person on whom more decisions would be made than are made of one."""


def simulate(folded: FoldedHistory, rules: AppRules, until: datetime) -> SimulatedPerson:
    """Return what these rules decide on a person until a time. Raises TooManyLooks."""
    walk = _Walk(folded, rules, kinds_that_matter(rules))
    walk.go(until)
    return SimulatedPerson(tuple(walk.runs.values()), walk.refused)


@dataclass(slots=True)
class _Walk:
    """Way through a history. `heard`: how many of its moments are behind."""

    folded: FoldedHistory
    rules: AppRules
    kinds: frozenset[str]
    runs: dict[str, Run] = field(default_factory=dict)
    refused: list[RefusedEntry] = field(default_factory=list)
    heard: int = 0
    now: datetime = EVER
    _looks: int = 0

    def go(self, until: datetime) -> None:
        while True:
            batch = self.folded.batch(self.heard)
            due = min((run.due for run in self.runs.values() if run.ended is None), default=NEVER)
            at = batch[0].at if batch else NEVER
            if min(at, due) > until or at == due == NEVER:
                return
            # At the same time the moment goes first: a purchase ends a run that is due.
            if at <= due:
                self._hear(batch, at)
            else:
                self._wake(due)

    def _hear(self, batch: Sequence[HeardMoment], at: datetime) -> None:
        self.heard, self.now = self.heard + len(batch), max(self.now, at)
        moments = [one.moment for one in batch if matters(one.moment, self.kinds)]
        if not moments:
            return
        reaction = react(self._look(), moments, self.rules, EMPTY_WORLD, self.now)
        self.runs |= {run.id: run for run in (*reaction.ended, *reaction.begun)}
        for (scenario, why), count in reaction.refused.items():
            self.refused += [RefusedEntry(self.now, scenario, why)] * count

    def _wake(self, due: datetime) -> None:
        self.now = max(self.now, due)
        person = self._look()
        of_runs: list[tuple[Run, Rules]] = []
        for run in person.waiting_runs():
            own = self.rules.of_version(run.scenario, run.version)
            if run.due <= self.now and own is not None:
                of_runs.append((run, own))
        known = {run.id: own for run, own in of_runs}
        for run, decision in decide_together(person, of_runs, EMPTY_WORLD, self.now):
            self.runs[run.id] = self._follow(run, decision, person, known[run.id])

    def _follow(self, run: Run, decision: Decision, person: Person, rules: Rules) -> Run:
        match decision:
            case Push():
                return self._push(run, person, rules)
            case Wait() | Skip() | End():
                return proceed(run, decision, person, rules, self.now)
            case _:  # the wake enters nobody
                return run

    def _push(self, run: Run, person: Person, rules: Rules) -> Run:
        """Push the run's step; give it back where planning would leave the person out."""
        firing = f"{run.id}:{len(run.pushes) + len(run.skipped)}"
        pushed = push_run(run, firing, rules.own, self.now)
        planned = self._plan(pushed, run.step, person, rules)
        if isinstance(planned, str):
            return give_back(pushed, firing, planned, rules.own, self.now)
        return note_items(pushed, firing, planned)

    def _plan(
        self, pushed: Run, step: str | None, person: Person, rules: Rules
    ) -> tuple[str, ...] | str:
        """Return the items that the push is about; why there is none where planning leaves her out."""
        if not self.folded.subscribed(self.heard):
            return NO_PLAYER
        fired = FiredStep(run=pushed, step=step or "")
        known = person.with_run(pushed)
        decision = decide(known, fired, rules, EMPTY_WORLD, self.now, "planning")
        if isinstance(decision, Push):
            return tuple(claim.item for claim in decision.about)
        return why_not_applicable(decision) or NO_PLAYER

    def _look(self) -> Person:
        """Return the person as she is known now. Raises TooManyLooks."""
        self._looks += 1
        if self._looks > MAX_LOOKS:
            raise TooManyLooks
        return Person.of(self.folded.profile(self.heard), self.runs.values())
