"""Due times of steps, and until when a step is in time. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from sender_service.models.decide.person import Person
from sender_service.models.decide.rules import Rules
from sender_service.models.scenario.run import Entry, Run
from sender_service.models.scenario.scenario import (
    MIN_PUSH_GAP,
    SPREAD_SLOTS,
    After,
    At,
    Scenario,
    Step,
)
from shared.models.quiet_hours import first_instant


def due_of(step: Step, run: Run | Entry, person: Person, rules: Rules) -> datetime:
    """Return when a step is due, of a run that has come to it, or of an entry."""
    entry, basis = (run, run.at) if isinstance(run, Entry) else (run.entry, run.basis)
    due = _wait_end(step.wait, basis, entry, person, rules)
    # A step after another has her share of the spread by the other one's.
    if step is rules.own.steps[0] or not _is_after_previous(step):
        due += spread_of(rules.own, person.id)
    last_push = None if isinstance(run, Entry) else run.last_push
    return due if last_push is None else max(due, last_push + MIN_PUSH_GAP)


def next_look(step: Step | None, pushed: datetime) -> datetime:
    """Return when to look at a run again after a push: `step`, the next one, is due no earlier.

    It is the same for all runs of a firing, so that one update claims them.
    """
    wait = None if step is None else step.wait
    if isinstance(wait, After) and wait.of != "entry":
        return pushed + max(wait.length, MIN_PUSH_GAP)
    return pushed + MIN_PUSH_GAP


def silence_end(step: Step, person: Person) -> datetime | None:
    """Return when her silence is long enough for the step; None where it waits for none."""
    wait = step.wait
    if not isinstance(wait, After) or wait.of != "silence":
        return None
    return person.seen_at + wait.length


def night_end_of(step: Step, person: Person, rules: Rules, moment: datetime) -> datetime | None:
    """Return the end of her quiet hours that contain the moment; None outside them."""
    return rules.night_end(step.campaign, person.zone, moment)


def earliest_push(step: Step, person: Person, rules: Rules, due: datetime) -> datetime:
    """Return the due time, or the end of the night in which it lies."""
    return night_end_of(step, person, rules, due) or due


def expiry_of(step: Step | None, person: Person, rules: Rules, now: datetime) -> datetime:
    """Return until when a push that is fired now may leave: `maxLate` from now, or from the end of a
    night that may meet it on its way.
    """
    until = now + rules.max_late
    night = None if step is None else rules.next_night(step.campaign, person.zone, now)
    if step is None or night is None or night >= until:
        return until
    return earliest_push(step, person, rules, night) + rules.max_late


def spread_of(scenario: Scenario, person: str) -> timedelta:
    """Return her stable share of the spread."""
    if not scenario.spread:
        return timedelta(0)
    return scenario.spread * scenario.spread_slot(person) / SPREAD_SLOTS


def _wait_end(
    wait: After | At, basis: datetime, entry: Entry, person: Person, rules: Rules
) -> datetime:
    if isinstance(wait, At):
        zone = rules.zone_of(person.zone if wait.zone == "person" else None)
        return _local_time(wait, basis, zone)
    if wait.of == "entry":
        return entry.at + wait.length
    if wait.of == "silence":
        return max(basis, person.seen_at) + wait.length
    return basis + wait.length


def _local_time(wait: At, basis: datetime, zone: str) -> datetime:
    """Return the first such local time on that day, or on the next where it has passed by then."""
    due = first_instant(basis, wait.days, wait.time, zone)
    return due if due >= basis else first_instant(basis, wait.days + 1, wait.time, zone)


def _is_after_previous(step: Step) -> bool:
    return isinstance(step.wait, After) and step.wait.of == "previous"
