"""Decisions that wait for the night's end or the gap, and which of several runs goes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sender_service.models.decide.decide import decide_together
from sender_service.models.decide.decision import Push, Skip, Wait
from sender_service.models.decide.due import expiry_of
from sender_service.models.decide.person import Person
from sender_service.models.decide.rules import Rules
from sender_service.models.decide.waking import Woken
from sender_service.models.decide.world import World
from sender_service.models.scenario.run import Run
from sender_service.models.send_quiet_hours import USUAL_NIGHT
from shared.models.quiet_hours import QuietHours
from tests.support.clocks import START
from tests.support.documents import build_profile
from tests.unit.sender.scenario_builders import (
    HOUR,
    MINUTE,
    WORTH_50,
    app_rules,
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


def test_gap_counts_to_pushes_that_wait_for_the_morning_too() -> None:
    run, morning = run_of(), DUE + 10 * HOUR
    waits = person_with(run, pushed=[morning])
    assert wake(run, DUE, waits) == Push()
    assert waits.free_from(morning - HOUR, HOUR) == morning - HOUR
    assert waits.free_from(morning - 59 * MINUTE, HOUR) == morning + HOUR
    both = person_with(run, pushed=[morning, morning + 90 * MINUTE])
    assert both.free_from(morning, HOUR) == morning + 150 * MINUTE
    assert both.free_from(morning, timedelta(0)) == morning


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


def test_push_that_may_meet_the_night_on_its_way_lives_until_the_morning() -> None:
    """Expire so long after the night's end; each in her own night, in a firing of her own."""
    evening, morning = START.replace(hour=20, minute=59), START.replace(day=2, hour=8)
    own = scenario(until=())
    rules = app_rules(own, night=USUAL_NIGHT)
    zones = {"Etc/UTC": morning + 2 * HOUR, "Atlantic/Azores": morning + 3 * HOUR,
             "Europe/London": morning + 2 * HOUR, "America/New_York": evening + 2 * HOUR}  # fmt: skip
    woken = Woken()
    for zone in zones:
        profile = build_profile(zone, timeZone=zone, lastSeenAt=START)
        run = replace(run_of(own, basis=evening - HOUR), person=zone)
        woken.look_at(Person.of(profile, [run]), [run], rules, NO_WORLD, evening)
    found = {person: key.expires for key, of in woken.candidates.items() for person in of.runs}
    assert found == zones and len(woken.candidates) == 3


def test_night_counts_for_a_firing_only_where_it_comes_before_its_end() -> None:
    own, noon, dusk = scenario(max_late=5 * MINUTE), START, START.replace(hour=21)
    night = rules_of(own, night=USUAL_NIGHT)
    (pushed,) = own.steps

    def expiry(now: datetime, rules: Rules) -> timedelta:
        return expiry_of(pushed, person_with(), rules, now) - now

    assert expiry(noon, night) == expiry(dusk - 5 * MINUTE, night) == 5 * MINUTE
    assert expiry(dusk - 4 * MINUTE, night) == 4 * MINUTE + 11 * HOUR + 5 * MINUTE
    assert expiry(dusk - MINUTE, replace(night, nights={"hour": None})) == 5 * MINUTE
    assert expiry(dusk - MINUTE, rules_of(own)) == 5 * MINUTE
    # A night that is shorter than `maxLate` is waited for, too.
    short = rules_of(night=QuietHours(start="12:10", end="12:40"))
    assert expiry(noon, short) == 40 * MINUTE + 2 * HOUR
