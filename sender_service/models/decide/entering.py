"""Rules of an entry: who begins a run. Pure."""

from __future__ import annotations

from datetime import datetime

from sender_service.models.decide.case import Case, Found
from sender_service.models.decide.decision import Refuse
from sender_service.models.scenario.run import Run
from sender_service.models.segment_match import matches
from shared.models.wire import to_iso

# Runs of a scenario and person. Keys are the sender's, who may invent any number; and who fills and empties
# a basket again and again begins run after run. Each look at a person reads all that are kept.
MAX_RUNS = 100  # that wait
MAX_KEPT = 300


def check_on_at_entry(case: Case) -> Found:
    """Refuse what comes, or came, while the scenario is off."""
    present = case.rules.present
    if present is None:
        return Refuse("deleted"), "deleted"
    if not present.enabled or present.was_off_at(case.entry.at):
        return Refuse("off"), f"off at {to_iso(case.entry.at)}"
    return None, ""


def check_new(case: Case) -> Found:
    """Refuse what is no later than an entry, or came while a run waited."""
    at, key = case.entry.at, case.entry.key
    runs = case.person.runs_of(case.rules.own.id)
    for run in runs:
        if run.entry.key != key:
            continue
        if at <= run.entry.at:
            return Refuse("repeat"), f"entered at {to_iso(run.entry.at)}"
        if _waited_at(run, at):
            return Refuse("waiting"), f"while run {run.n} waited"
    waiting = sum(run.ended is None for run in runs)
    is_full = waiting >= MAX_RUNS or len(runs) >= MAX_KEPT
    return (Refuse("full") if is_full else None), f"{waiting} wait"


def _waited_at(run: Run, at: datetime) -> bool:
    if run.ended is None:
        return True
    # One that was carried over to the survivor of a merge goes on there, and may be over there since.
    return run.ended.why != "merged" and at <= run.ended.at


def check_again(case: Case) -> Found:
    """Refuse an entry too early after the last push, or entry."""
    again = case.rules.own.again
    runs = case.person.runs_of(case.rules.own.id)
    starts = [run.last_push if again.since == "push" else run.entry.at for run in runs]
    last = max((at for at in starts if at is not None), default=None)
    if last is None:
        return None, f"no {again.since} yet"
    until = last + again.length
    return (Refuse("again") if case.entry.at < until else None), f"again from {to_iso(until)}"


def check_late_entry(case: Case) -> Found:
    """Refuse a fact whose first step would be late already."""
    until = case.in_time_until
    return (Refuse("late") if case.now > until else None), f"in time until {to_iso(until)}"


def check_condition(case: Case) -> Found:
    condition = case.rules.own.condition
    if condition is None:
        return None, "all"
    return (None if matches(condition, case.profile, case.now) else Refuse("if")), ""
