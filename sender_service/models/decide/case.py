"""Case: what the rules of one decision read. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sender_service.models.decide.decision import Decision, Stage
from sender_service.models.decide.due import due_of, earliest_push, night_end_of
from sender_service.models.decide.person import Person
from sender_service.models.decide.rules import Rules
from sender_service.models.decide.world import World
from sender_service.models.scenario.run import Entry, FiredStep, ItemClaim, Run
from sender_service.models.scenario.scenario import Step
from shared.documents.profile import Profile

# Where a rule passes, no decision; in any case what the trace says of it.
Found = tuple[Decision | None, str]
JUST_BEFORE = timedelta(milliseconds=1)  # stored times are no finer


@dataclass(slots=True, kw_only=True)
class Case:
    """Person and run, or entry, at one stage. `step` is None when all of the run's are done."""

    person: Person
    subject: Run | Entry
    step: Step | None
    rules: Rules
    world: World
    now: datetime
    stage: Stage
    about: tuple[ItemClaim, ...] = ()
    _due: datetime | None = field(default=None, init=False)

    @property
    def entry(self) -> Entry:
        return self.subject if isinstance(self.subject, Entry) else self.subject.entry

    @property
    def run(self) -> Run | None:
        return None if isinstance(self.subject, Entry) else self.subject

    @property
    def profile(self) -> Profile:
        return self.person.profile

    @property
    def this_step(self) -> Step:
        """Return the step, for rules that come after the check that there is one."""
        assert self.step is not None
        return self.step

    @property
    def due(self) -> datetime:
        if self._due is None:
            self._due = due_of(self.this_step, self.subject, self.person, self.rules)
        return self._due

    @property
    def earliest(self) -> datetime:
        """Return the due time, or the end of the night in which it lies."""
        return earliest_push(self.this_step, self.person, self.rules, self.due)

    @property
    def in_time_until(self) -> datetime:
        """Return until when it may be looked at: so long after it is due, or after a night's end."""
        return self._after_night + self.rules.max_late

    @property
    def _after_night(self) -> datetime:
        """Return when it was due, or the end of a night that began before it could be pushed."""
        earliest, run = self.earliest, self.run
        if run is None or run.due <= earliest:
            return earliest
        ended = night_end_of(self.this_step, self.person, self.rules, run.due - JUST_BEFORE)
        return run.due if ended == run.due else earliest


Rule = Callable[[Case], Found]


def build_case(
    person: Person,
    subject: Run | Entry | FiredStep,
    rules: Rules,
    world: World,
    now: datetime,
    stage: Stage,
) -> Case:
    """Return the case, with the step that it is about."""
    fired = subject if isinstance(subject, FiredStep) else None
    run = subject.run if isinstance(subject, FiredStep) else subject
    if fired is not None:
        step: str | None = fired.step
    else:
        step = rules.own.steps[0].id if isinstance(run, Entry) else run.step
    return Case(
        person=person,
        subject=run,
        step=None if step is None else rules.own.step(step),
        rules=rules,
        world=world,
        now=now,
        stage=stage,
        about=() if fired is None else fired.about,
    )
