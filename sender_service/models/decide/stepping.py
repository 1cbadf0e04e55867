"""Step of a person who waits for it no longer: what its push is about, or why there is none. Pure."""

from __future__ import annotations

from datetime import datetime

from sender_service.models.decide.case import Case, build_case
from sender_service.models.decide.choosing import choose_items
from sender_service.models.decide.decision import Push, Skip
from sender_service.models.decide.made_entry import MADE, make_entry
from sender_service.models.decide.person import Person
from sender_service.models.decide.rules import Rules
from sender_service.models.decide.steps import check_only
from sender_service.models.decide.world import EMPTY_WORLD
from sender_service.models.scenario.run import Entry, FiredStep, Run
from sender_service.models.scenario.scenario import Step


def choose_now(
    person: Person, subject: Run | Entry, step: Step, rules: Rules, now: datetime
) -> Push | None:
    """Return the step's push to the person, whatever its condition; None: there is nothing to offer."""
    decision, _ = choose_items(_case(person, subject, step, rules, now))
    return decision if isinstance(decision, Push) else None


def push_now(
    person: Person, subject: Run | Entry, step: Step, rules: Rules, now: datetime
) -> Push | Skip:
    """Return the step's push to the person, or why it is skipped."""
    case = _case(person, subject, step, rules, now)
    decision = check_only(case)[0] or choose_items(case)[0]
    return decision if isinstance(decision, Push | Skip) else Push()


def last_entry(person: Person, rules: Rules, now: datetime) -> Entry:
    """Return her last entry to the scenario; else one of what her profile shows, or one of nothing."""
    last = max(person.runs_of(rules.own.id), key=lambda run: (run.entry.at, run.id), default=None)
    if last is not None:
        return last.entry
    return make_entry(rules.own.entry, person, now) or Entry(at=now, event=MADE)


def _case(person: Person, subject: Run | Entry, step: Step, rules: Rules, now: datetime) -> Case:
    fired = FiredStep(run=subject, step=step.id)
    return build_case(person, fired, rules, EMPTY_WORLD, now, "planning")
