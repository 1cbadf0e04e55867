"""Decisions about time: waits, nights, gaps, lateness, what fell due while a scenario was off."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import get_args

import pytest

from sender_service.models.decide.decision import Decision, End, Enter, Push, Refuse, Skip, Wait
from sender_service.models.decide.due import due_of, next_look, spread_of
from sender_service.models.decide.progress import give_back, proceed, push_run
from sender_service.models.scenario.entry_rules import OnSubscribed
from sender_service.models.scenario.run import Entry
from sender_service.models.scenario.scenario import After, At, OffInterval, WaitFrom
from sender_service.models.send_quiet_hours import USUAL_NIGHT
from tests.support.clocks import START
from tests.unit.sender.scenario_builders import (
    DAY,
    ENTRY,
    HOUR,
    MINUTE,
    WORTH_50,
    after,
    enter,
    person_with,
    profile_with,
    rules_of,
    run_of,
    scenario,
    step,
    wake,
    walk,
)

DUE = START + HOUR
PRAGUE = "Europe/Prague"


def pushes(found: list[tuple[datetime, Decision]]) -> list[datetime]:
    return [at for at, decision in found if isinstance(decision, Push)]


def skips(found: list[tuple[datetime, Decision]]) -> list[tuple[str, str]]:
    return [(one.step, one.why) for _, one in found if isinstance(one, Skip)]


def minutely(hours: float, since: datetime = START) -> list[datetime]:
    return [since + n * MINUTE for n in range(int(hours * 60) + 1)]


def test_case_13_skipped_step_is_looked_at_once() -> None:
    own = scenario(step(only=WORTH_50), step("day", after(1440)))
    run, found = walk(person_with(), rules_of(own), minutely(26))
    assert skips(found) == [("hour", "only")]
    assert pushes(found) == [DUE + DAY]
    assert run is not None and [one.step for one in run.skipped] == ["hour"]


@pytest.mark.parametrize(("minutes", "late"), [(120, False), (121, True)])
def test_case_15_due_long_ago_is_late(minutes: int, late: bool) -> None:
    found = wake(run_of(), DUE + minutes * MINUTE)
    assert found == (Skip("hour", "late") if late else Push())


def test_case_16_repeats_are_dropped_and_second_looks_are_not() -> None:
    run = run_of()
    assert wake(run, DUE) == wake(run, DUE) == Push()
    pushed = push_run(run, "f-1", scenario(), DUE)
    assert push_run(pushed, "f-1", scenario(), DUE) == pushed  # no step is left
    assert wake(pushed, pushed.due) == End("done")


def test_case_18_failed_send_holds_no_run_up() -> None:
    own = scenario(step(), step("day", after(1440)))
    run = push_run(run_of(own), "f-1", own, DUE)
    given_back = give_back(run, "f-1", "refused", own, DUE + MINUTE)
    assert (given_back.step, given_back.pushes, given_back.due) == ("day", (), DUE + DAY)
    assert [(one.step, one.why) for one in given_back.skipped] == [("hour", "refused")]
    assert give_back(given_back, "f-1", "refused", own, DUE + MINUTE) == given_back
    assert wake(given_back, DUE + DAY, own=own) == Push()


def test_case_19_away_for_six_hours() -> None:
    steps = [step(str(n), after(60 * n, "entry")) for n in (1, 2, 5, 6)]
    looks = [START, *minutely(6, START + 7 * HOUR)]
    _, found = walk(person_with(), rules_of(scenario(*steps)), looks)
    assert skips(found) == [("1", "late"), ("2", "late")]
    assert pushes(found) == [START + 7 * HOUR, START + 8 * HOUR]


def test_case_20_off_for_two_weeks() -> None:
    off = (OffInterval(start=START + 30 * MINUTE, end=START + 14 * DAY),)
    own = scenario(step(), step("day", after(1440)), step("month", after(30 * 1440)))
    present = replace(own, version=2, off=off)
    rules = replace(rules_of(own), present=present)
    looks = [START, *minutely(2, START + 14 * DAY), START + 31 * DAY + HOUR]
    _, found = walk(person_with(), rules, looks)
    assert skips(found) == [("hour", "off"), ("day", "off")]
    assert pushes(found) == [START + 31 * DAY + HOUR]  # 30 days after the day step's due time
    # What came meanwhile enters nobody, also when its event comes later.
    entry = Entry(at=START + DAY, event="e-2")
    assert enter(person_with(), entry, rules, START + 14 * DAY) == Refuse("off")


def test_case_14_paused_and_resumed() -> None:
    own = scenario(step(), step("day", after(1440)))
    paused = replace(own, enabled=False, off=(OffInterval(start=START, end=None),))
    person = person_with()
    rules = replace(rules_of(own), present=paused)
    run = run_of(own)
    assert wake(run, START + MINUTE, own=own, present=paused) == Wait(DUE)
    skip = wake(run, DUE, own=own, present=paused)
    assert skip == Skip("hour", "off")
    assert isinstance(skip, Skip)
    run = proceed(run, skip, person, rules, DUE)
    resumed = replace(own, off=(OffInterval(start=START, end=START + 2 * HOUR),))
    assert run.due == DUE + DAY
    assert wake(run, DUE + DAY, own=own, present=resumed) == Push()


def test_case_21_no_zone_or_an_unknown_one_has_the_apps_night() -> None:
    night = START.replace(hour=22)  # 23:00 in Prague
    for named in (None, "Mars/Base"):
        person = person_with(profile=profile_with(timeZone=named))
        run = run_of(due=night, basis=night - HOUR)
        rules = {"night": USUAL_NIGHT, "zone": PRAGUE}
        assert wake(run, night, person, **rules) == Wait(START.replace(day=2, hour=7))
        tokyo = person_with(profile=profile_with(timeZone="Asia/Tokyo"))  # 07:00 there
        assert wake(run, night, tokyo, **rules) == Wait(START.replace(hour=23))


@pytest.mark.parametrize(
    ("entered", "clock", "due"),
    [
        # 02:30 is skipped on 28 March 2027: the clock change stands for it.
        ("2027-03-27T12:00", "02:30", "2027-03-28T01:00"),
        ("2027-03-28T01:01", "02:30", "2027-03-29T00:30"),
        # 02:30 comes twice on 31 October 2027: it is the first of them, and once.
        ("2027-10-30T12:00", "02:30", "2027-10-31T00:30"),
        ("2027-10-31T00:45", "02:30", "2027-11-01T01:30"),
        ("2027-01-05T12:00", "09:00", "2027-01-06T08:00"),
        ("2027-01-05T12:00", "13:00", "2027-01-05T12:00"),
    ],
)
def test_case_22_clock_change_moves_no_local_time_twice(entered: str, clock: str, due: str) -> None:
    at = datetime.fromisoformat(entered).replace(tzinfo=UTC)
    days = 1 if clock == "02:30" and at.hour == 12 else 0
    wait = At(time=time.fromisoformat(clock), days=days, zone="app")
    rules = rules_of(scenario(step(wait=wait)), zone=PRAGUE)
    entry = Entry(at=at, event="e-1")
    expected = datetime.fromisoformat(due).replace(tzinfo=UTC)
    assert due_of(rules.own.steps[0], entry, person_with(), rules) == expected


def test_case_23_page_every_50_minutes_postpones_a_silence_of_60() -> None:
    rules = rules_of(scenario(step(wait=after(60, "silence"))))
    run = run_of(rules.own)
    for n in range(1, 20):
        seen = START + 50 * n * MINUTE
        person = person_with(profile=profile_with(lastSeenAt=seen))
        decision = wake(run, seen + 10 * MINUTE, person, own=rules.own)
        assert decision == Wait(seen + 60 * MINUTE)
    person = person_with(profile=profile_with(lastSeenAt=seen))
    assert wake(run, seen + 60 * MINUTE, person, own=rules.own) == Push()


def test_case_25_steps_without_waits_all_come() -> None:
    steps = [step(str(n), after(0)) for n in range(3)]
    own = scenario(*steps, max_late=5 * MINUTE)
    for gap in (timedelta(0), HOUR):
        _, found = walk(person_with(), rules_of(own, gap=gap), minutely(4))
        assert pushes(found) == [START, START + HOUR, START + 2 * HOUR]
        assert not skips(found)


def test_case_26_conditions_are_those_after_the_wait() -> None:
    own = scenario(step(only=WORTH_50))
    cheap, dear = profile_with(), profile_with()
    dear["basket"] = {**dear["basket"], "total": 60}
    run = run_of(own)
    assert wake(run, START, person_with(profile=cheap), own=own) == Wait(DUE)
    assert wake(run, DUE, person_with(profile=dear), own=own) == Push()
    assert wake(run, DUE, person_with(profile=cheap), own=own) == Skip("hour", "only")


def test_spread_is_stable_and_in_few_slots() -> None:
    own = scenario(step(wait=after(0)), step("day", after(1440)), spread=60 * MINUTE)
    shares = {spread_of(own, f"p-{n}") for n in range(500)}
    assert shares == {5 * n * MINUTE for n in range(12)}
    rules = rules_of(own)
    share = spread_of(own, "p-1")
    assert due_of(own.steps[0], ENTRY, person_with(), rules) == START + share
    run = push_run(run_of(own), "f", own, START + share)
    assert due_of(own.steps[1], run, person_with(run), rules) == START + share + DAY


def test_next_look_is_never_after_the_due_time() -> None:
    lengths: list[After | At] = [
        After(length=n * MINUTE, of=of) for n in (0, 30, 1440) for of in get_args(WaitFrom)
    ]
    waits = [*lengths, *(At(time=time(9), days=days, zone="person") for days in (0, 1))]
    for wait in waits:
        own = scenario(step(), step("next", wait))
        run = push_run(run_of(own), "f", own, DUE)
        due = due_of(own.steps[1], run, person_with(run), rules_of(own))
        assert DUE < next_look(own.steps[1], DUE) <= due
        assert run.due == next_look(own.steps[1], DUE)


def test_case_30_event_of_three_days_ago_is_late() -> None:
    entry = Entry(at=START - 3 * DAY, event="e-0")
    assert enter(person_with(), entry, rules_of(), START) == Refuse("late")
    weeks = rules_of(scenario(step(wait=after(7 * 1440))))
    assert enter(person_with(), entry, weeks, START) == Enter(START + 4 * DAY)
    in_time = Entry(at=START - 3 * HOUR, event="e-0")
    assert enter(person_with(), in_time, rules_of(), START) == Enter(START - 2 * HOUR)


def test_case_29_welcome_is_refused_to_who_subscribed_long_ago() -> None:
    welcome = rules_of(scenario(step(wait=after(5)), entry=OnSubscribed(), until=("bought",)))
    entry = Entry(at=START - DAY, event="import")
    assert enter(person_with(), entry, welcome, START) == Refuse("late")
