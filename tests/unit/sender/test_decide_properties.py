"""Properties of decide over generated scenarios, people and times."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sender_service.models.decide.decide import decide
from sender_service.models.decide.decision import Enter, Push, Stage, Wait
from sender_service.models.decide.due import due_of
from sender_service.models.decide.exit_facts import counts_as_emptied
from sender_service.models.decide.person import Person
from sender_service.models.decide.progress import begin_run
from sender_service.models.decide.rules import Rules
from sender_service.models.decide.world import EMPTY_WORLD
from sender_service.models.scenario.run import FiredStep, Run
from sender_service.models.scenario.scenario import (
    MIN_PUSH_GAP,
    After,
    At,
    OffInterval,
    Scenario,
    Step,
)
from shared.models.quiet_hours import QuietHours
from tests.support.clocks import START
from tests.unit.sender.scenario_builders import (
    ENTRY,
    HOUR,
    MINUTE,
    WORTH_50,
    empty_basket,
    follow,
    order,
    person_with,
    profile_with,
    rules_of,
    scenario,
)

MINUTES = st.sampled_from([0, 5, 50, 60, 61, 119, 300, 1440])
LENGTHS = MINUTES.map(lambda n: n * MINUTE)
MOMENTS = st.integers(-60, 4_320).map(lambda n: START + n * MINUTE)
WAITS = st.builds(
    After, length=LENGTHS, of=st.sampled_from(["entry", "previous", "silence"])
) | st.builds(
    At,
    time=st.sampled_from([time(0), time(9, 30), time(22)]),
    days=st.integers(0, 2),
    zone=st.sampled_from(["app", "person"]),
)
ONLY = st.sampled_from([None, None, WORTH_50])
NIGHTS = st.sampled_from(
    [None, QuietHours(start="21:00", end="08:00"), QuietHours(start="12:30", end="13:00")]
)


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    count = draw(st.integers(1, 3))
    steps = [
        Step(id=f"s{n}", campaign=f"c{n}", wait=draw(WAITS), only=draw(ONLY)) for n in range(count)
    ]
    return scenario(
        *steps,
        until=draw(st.sampled_from([(), ("bought",), ("emptied",), ("bought", "emptied")])),
        max_late=draw(st.sampled_from([5, 120, 1440])) * MINUTE,
        spread=draw(st.sampled_from([0, 60])) * MINUTE,
    )


@st.composite
def edits(draw: st.DrawFn, own: Scenario) -> Scenario | None:
    """Return another version of a scenario: any edit, off, on, or none."""
    if draw(st.booleans()):
        return own
    other = draw(scenarios())
    off = draw(st.sampled_from([(), (OffInterval(start=START, end=START + 2 * HOUR),)]))
    edited = replace(other, version=2, enabled=draw(st.booleans()), off=off)
    return draw(st.sampled_from([edited, edited, None]))


@st.composite
def people(draw: st.DrawFn) -> Person:
    ordered = st.sampled_from([[], [START - HOUR], [START + MINUTE]])
    orders = [order(at, "tea") for at in draw(ordered)]
    fields: dict[str, Any] = {"basket": empty_basket()} if draw(st.integers(0, 4)) == 0 else {}
    profile = profile_with(
        purchases=orders,
        timeZone=draw(st.sampled_from([None, "Europe/Prague", "Pacific/Auckland", "Mars/Base"])),
        **{**fields, "lastSeenAt": draw(st.just(START) | MOMENTS)},
    )
    if draw(st.booleans()):
        profile["basket"] = {**profile["basket"], "total": 60}
    return person_with(profile=profile, pushed=draw(st.just([]) | st.lists(MOMENTS, max_size=2)))


@st.composite
def rule_sets(draw: st.DrawFn) -> Rules:
    own = draw(scenarios())
    return rules_of(
        own,
        present=draw(edits(own)),
        gap=draw(st.sampled_from([0, 60, 1440])) * MINUTE,
        night=draw(NIGHTS),
        zone="Europe/Prague",
    )


def check_push(person: Person, run: Run, rules: Rules, now: datetime) -> None:
    """Assert all that must hold when a run is pushed."""
    step = rules.own.step(run.step or "")
    assert step is not None and rules.present is not None and rules.present.enabled
    assert rules.present.step(step.id) is not None
    due = due_of(step, run, person, rules)
    assert due <= now and not rules.present.was_off_at(due)
    night = rules.night
    assert night is None or night.until(now, rules.zone_of(person.zone)) is None
    assert person.free_from(now, rules.gap) == now
    assert run.last_push is None or run.last_push + MIN_PUSH_GAP <= now
    if "bought" in rules.until:
        assert not person.has_ordered_since(run.entry)
    if "emptied" in rules.until:
        assert not counts_as_emptied(person, now)


@settings(max_examples=200, deadline=None)
@given(person=people(), rules=rule_sets(), looks=st.lists(st.integers(0, 600), max_size=6))
def test_life_of_a_run_ends_and_pushes_only_when_it_may(
    person: Person, rules: Rules, looks: list[int]
) -> None:
    # Looks are late by some minutes, then on time: each wait is later than now, and comes to an end.
    entered = decide(person, ENTRY, replace(rules, present=rules.own), EMPTY_WORLD, START, "entry")
    if not isinstance(entered, Enter):
        return
    run, late = begin_run(person, ENTRY, entered.due, rules), iter(looks)
    now, waits = START, 0
    while run.ended is None:
        now = max(now, run.due) + next(late, 0) * MINUTE
        here = person.with_run(run)
        decision = decide(here, run, rules, EMPTY_WORLD, now, "wake")
        if isinstance(decision, Push):
            check_push(here, run, rules, now)
        # A wait for the due time, the night, the gap, the night again: no more without another push.
        waits = waits + 1 if isinstance(decision, Wait) else 0
        assert waits <= 5
        run = follow(run, decision, here, rules, now)
    steps = [push.step for push in run.pushes] + [skipped.step for skipped in run.skipped]
    assert len(steps) == len(set(steps)) <= len(rules.own.steps)
    pushes = sorted(push.at for push in run.pushes)
    gap = max(rules.gap, MIN_PUSH_GAP)
    assert all(b - a >= gap for a, b in zip(pushes, pushes[1:], strict=False))


@settings(max_examples=300, deadline=None)
@given(person=people(), rules=rule_sets(), minutes=st.sampled_from([0, 3, 60, 130, 1000]))
def test_edit_pushes_nobody_whom_the_own_version_does_not(
    person: Person, rules: Rules, minutes: int
) -> None:
    unedited = replace(rules, present=rules.own)
    for step in rules.own.steps:
        run = replace(begin_run(person, ENTRY, START, rules), step=step.id)
        now = due_of(step, run, person, rules) + minutes * MINUTE
        subjects: list[tuple[Run | FiredStep, Stage]] = [(run, "wake")]
        subjects.append((FiredStep(run=run, step=step.id), "release"))
        for subject, stage in subjects:
            if isinstance(decide(person, subject, rules, EMPTY_WORLD, now, stage), Push):
                assert isinstance(decide(person, subject, unedited, EMPTY_WORLD, now, stage), Push)


@settings(max_examples=200, deadline=None)
@given(person=people(), rules=rule_sets(), now=MOMENTS)
def test_wait_is_for_later_and_looking_then_makes_progress(
    person: Person, rules: Rules, now: datetime
) -> None:
    run = begin_run(person, ENTRY, now, rules)
    times: list[timedelta] = []
    decision = decide(person, run, rules, EMPTY_WORLD, now, "wake")
    while isinstance(decision, Wait):
        assert decision.until > now
        times.append(decision.until - now)
        now = decision.until
        decision = decide(person, run, rules, EMPTY_WORLD, now, "wake")
        assert len(times) <= 5
