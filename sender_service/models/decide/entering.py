"""Rules of an entry: who begins a run. Pure."""

from __future__ import annotations

from sender_service.models.decide.case import Case, Found
from sender_service.models.decide.decision import Refuse
from sender_service.models.segment_match import matches
from shared.models.wire import to_iso


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
    for run in case.person.runs_of(case.rules.own.id):
        if run.entry.key != key:
            continue
        if at <= run.entry.at:
            return Refuse("repeat"), f"entered at {to_iso(run.entry.at)}"
        if run.ended is None or at <= run.ended.at:
            return Refuse("waiting"), f"while run {run.n} waited"
    return None, ""


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
