"""Decide what becomes of a person in a scenario: at entry, wake, planning and release. Pure.

The rules apply in their order, and the first that stops decides. Each leaves its mark in the trace.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from sender_service.models.decide.app_rules import AppRules
from sender_service.models.decide.case import Case, Rule, build_case
from sender_service.models.decide.choosing import check_items, choose_items
from sender_service.models.decide.decision import Check, Decision, End, Enter, Push, Stage
from sender_service.models.decide.entering import (
    check_again,
    check_condition,
    check_late_entry,
    check_new,
    check_on_at_entry,
)
from sender_service.models.decide.exits import check_exits
from sender_service.models.decide.person import Person
from sender_service.models.decide.rules import Rules
from sender_service.models.decide.steps import (
    check_done,
    check_fired,
    check_gap,
    check_late,
    check_night,
    check_off,
    check_only,
    check_open,
    check_silence,
    check_step,
    check_wait,
)
from sender_service.models.decide.world import EMPTY_WORLD, World
from sender_service.models.scenario.run import Entry, FiredStep, Run

Named = tuple[tuple[str, Rule], ...]
CLOCK_ENTRY: Named = (
    ("on", check_on_at_entry),
    ("new", check_new),
    ("again", check_again),
    ("until", check_exits),
    ("if", check_condition),
)
ENTRY: Named = (*CLOCK_ENTRY, ("late", check_late_entry))
WAKE: Named = (
    ("on", check_open),
    ("until", check_exits),
    ("done", check_done),
    ("step", check_step),
    ("off", check_off),
    ("late", check_late),
    ("wait", check_wait),
    ("night", check_night),
    ("gap", check_gap),
    ("only", check_only),
)
FIRED: Named = (
    ("on", check_fired),
    ("until", check_exits),
    ("step", check_step),
    ("wait", check_silence),
    ("only", check_only),
)
CHOOSE: Named = (("choose", choose_items),)
ITEMS: Named = (("items", check_items),)


def decide(
    person: Person,
    run: Run | Entry | FiredStep,
    rules: Rules,
    world: World,
    now: datetime,
    stage: Stage,
) -> Decision:
    """Return what becomes of the person's run, or entry, now.

    Wake takes a run, planning and release the step of a firing. Planning takes entries by the clock,
    and pushes them where the first step waits for nothing.
    """
    case = build_case(person, run, rules, world, now, stage)
    trace: list[Check] = []
    is_entry = isinstance(run, Entry)
    decision = _apply(_rules_of(stage, is_entry=is_entry), case, trace)
    if decision is None and is_entry:
        decision = _enter(case, trace)
    return replace(decision or Push(), trace=tuple(trace))


def decide_together(
    person: Person, due: Iterable[tuple[Run, Rules]], world: World, now: datetime
) -> list[tuple[Run, Decision]]:
    """Decide on a person's due runs, by priority; after a push the others keep the gap to it."""
    decisions: list[tuple[Run, Decision]] = []
    for run, rules in sorted(due, key=_rank):
        decision = decide(person, run, rules, world, now, "wake")
        decisions.append((run, decision))
        if isinstance(decision, Push):
            person = person.with_push(now)
    return decisions


def decide_waiting(
    person: Person, rules: AppRules, now: datetime
) -> Iterator[tuple[Run, Decision]]:
    """Yield decisions on all her waiting runs, of all scenarios: those that are due compete."""
    due: list[tuple[Run, Rules]] = []
    for run in (one for one in person.runs if one.ended is None):
        own = rules.of_version(run.scenario, run.version)
        if own is None:
            yield run, End("deleted")
        elif run.due <= now:
            due.append((run, own))
        else:
            yield run, decide(person, run, own, EMPTY_WORLD, now, "wake")
    yield from decide_together(person, due, EMPTY_WORLD, now)


def _rules_of(stage: Stage, *, is_entry: bool) -> Named:
    if is_entry:
        return CLOCK_ENTRY if stage == "planning" else ENTRY
    if stage == "wake":
        return WAKE
    return FIRED + (CHOOSE if stage == "planning" else ITEMS)


def _enter(case: Case, trace: list[Check]) -> Decision:
    """Enter; at planning push at once, where the first step is due."""
    if case.stage != "planning" or case.due > case.now:
        return Enter(case.due)
    return _apply((("only", check_only), *CHOOSE), case, trace) or Push()


def _apply(rules: Named, case: Case, trace: list[Check]) -> Decision | None:
    for name, rule in rules:
        decision, detail = rule(case)
        trace.append(Check(name, decision is None or isinstance(decision, Push), detail))
        if decision is not None:
            return decision
    return None


def _rank(one: tuple[Run, Rules]) -> tuple[int, datetime, str]:
    run, rules = one
    return -rules.own.priority, run.due, run.id
