"""Decisions that wait for the night's end or the gap, and which of several runs goes."""

from __future__ import annotations

from datetime import timedelta

from sender_service.models.decide.decide import decide_together
from sender_service.models.decide.decision import Push, Skip, Wait
from sender_service.models.decide.rules import Rules
from sender_service.models.decide.world import World
from sender_service.models.scenario.run import Run
from sender_service.models.send_quiet_hours import USUAL_NIGHT
from tests.support.clocks import START
from tests.unit.sender.scenario_builders import (
    HOUR,
    MINUTE,
    WORTH_50,
    follow,
    person_with,
    profile_with,
    rules_of,
    run_of,
    scenario,
    step,
    wake,
)

DUE = START + HOUR
NO_WORLD = World()


def test_night_is_waited_for_before_gap_and_condition() -> None:
    night = START.replace(hour=22)
    own = scenario(step(only=WORTH_50))
    run = run_of(own, basis=night - HOUR)
    person = person_with(run, pushed=[night - MINUTE])
    rules = {"own": own, "night": USUAL_NIGHT}
    morning = START.replace(day=2, hour=8)
    assert wake(run, night, person, **rules) == Wait(morning)
    assert wake(run, morning, person, **rules) == Skip("hour", "only")
    # In time until `maxLate` after the end of the night in which it was due.
    dear = profile_with()
    dear["basket"] = {**dear["basket"], "total": 60}
    rich = person_with(run, profile=dear)
    assert wake(run, morning + 2 * HOUR, rich, **rules) == Push()
    assert wake(run, morning + 121 * MINUTE, rich, **rules) == Skip("hour", "late")


def test_step_that_meets_the_night_after_it_was_due_is_in_time_in_the_morning() -> None:
    dusk, morning = START.replace(hour=21), START.replace(day=2, hour=8)
    run = run_of(basis=dusk - HOUR - timedelta(seconds=2))
    rules = {"night": USUAL_NIGHT}
    decision = wake(run, dusk + timedelta(seconds=2), **rules)
    assert decision == Wait(morning)
    waits = follow(run, decision, person_with(run), rules_of(night=USUAL_NIGHT), dusk)
    assert waits.due == morning
    assert wake(waits, morning + 2 * HOUR, **rules) == Push()
    assert wake(waits, morning + 121 * MINUTE, **rules) == Skip("hour", "late")
    # Nobody looked at it before the night's end: an outage is not made up for.
    assert wake(run, morning, **rules) == Skip("hour", "late")


def test_campaigns_have_a_night_of_their_own_or_none() -> None:
    night = START.replace(hour=22)
    run = run_of(basis=night - HOUR)
    rules = {"night": USUAL_NIGHT}
    assert wake(run, night, **rules, nights={"hour": None}) == Push()
    assert isinstance(wake(run, night, **rules, nights={"day": None}), Wait)


def test_gap_is_waited_for_while_the_step_is_in_time() -> None:
    run = run_of()
    pushed = person_with(run, pushed=[DUE - 20 * MINUTE])
    assert wake(run, DUE, pushed) == Wait(DUE + 40 * MINUTE)
    assert wake(run, DUE + 40 * MINUTE, pushed) == Push()
    assert wake(run, DUE, pushed, gap=timedelta(hours=3)) == Skip("hour", "outranked")
    assert wake(run, DUE, pushed, gap=timedelta(0)) == Push()


def test_gap_that_ends_at_night_is_the_morning() -> None:
    evening = START.replace(hour=20, minute=50)
    run = run_of(basis=evening - HOUR)
    person = person_with(run, pushed=[evening - MINUTE])
    assert wake(run, evening, person, night=USUAL_NIGHT) == Skip("hour", "outranked")


def other_run(name: str, priority: int, **fields: object) -> tuple[Run, Rules]:
    own = scenario(id=name, priority=priority, **fields)
    return run_of(own), rules_of(own)


def test_of_runs_due_together_the_highest_priority_goes() -> None:
    low, high = other_run("a", 40), other_run("b", 60)
    found = dict(
        (run.scenario, decision)
        for run, decision in decide_together(person_with(), [low, high], NO_WORLD, DUE)
    )
    assert found == {"b": Push(), "a": Wait(DUE + HOUR)}
    strict = other_run("a", 40, max_late=30 * MINUTE)
    decided = decide_together(person_with(), [strict, high], NO_WORLD, DUE)
    assert [decision for _, decision in decided] == [Push(), Skip("hour", "outranked")]
    # Who isn't pushed stands in nobody's way.
    skipped = other_run("b", 60, steps=(step(only=WORTH_50),))
    decided = decide_together(person_with(), [low, skipped], NO_WORLD, DUE)
    assert [decision for _, decision in decided] == [Skip("hour", "only"), Push()]
