"""Decisions about entries, and about runs under an edited scenario or of merged persons."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sender_service.models.decide.decide import decide
from sender_service.models.decide.decision import (
    Decision,
    End,
    Enter,
    Push,
    Refuse,
    Skip,
    Stage,
    Wait,
)
from sender_service.models.decide.progress import begin_run, end_run, give_back, push_run, take_over
from sender_service.models.decide.world import EMPTY_WORLD
from sender_service.models.scenario.entry_rules import OnBought, OnDaily
from sender_service.models.scenario.run import Entry, Run
from sender_service.models.scenario.scenario import Again, Scenario
from tests.support.clocks import START
from tests.unit.sender.scenario_builders import (
    DAY,
    ENTRY,
    HOUR,
    MINUTE,
    WORTH_50,
    after,
    empty_basket,
    enter,
    order,
    person_with,
    plan,
    profile_with,
    rules_of,
    run_of,
    scenario,
    step,
    wake,
    walk,
)

DUE = START + HOUR
RULES = rules_of()


def later(after_start: timedelta, key: str | None = None) -> Entry:
    return Entry(at=START + after_start, event=f"e-{after_start}", key=key)


def over(own: Scenario | None = None, at: timedelta = HOUR) -> Run:
    """Return a run that was pushed an hour after START, and ended then."""
    version = own or scenario()
    return end_run(push_run(run_of(version), "f-1", version, START + at), "done", START + at)


def test_case_11_event_three_times_and_after_600_others() -> None:
    runs: list[Run] = []
    events = [ENTRY, ENTRY, *(later(n * MINUTE) for n in range(1, 601)), ENTRY, later(HOUR)]
    for entry in events:
        person = person_with(*runs)
        decision = enter(person, entry, RULES, START + 3 * HOUR)
        if isinstance(decision, Enter):
            runs.append(begin_run(person, entry, decision.due, RULES))
    assert len(runs) == 1
    # A log that is read again, once the run is over and `again` is none.
    rules = rules_of(scenario(again=Again(length=timedelta(0), since="push")))
    person = person_with(end_run(runs[0], "bought", START + 5 * HOUR))
    for entry in events:
        found = enter(person, entry, rules, START + 2 * HOUR)
        if entry.at <= START + 5 * HOUR:
            assert found in (Refuse("repeat"), Refuse("waiting"))


def test_case_12_entry_while_waiting_sets_no_second_timer() -> None:
    run = run_of()
    assert enter(person_with(run), later(MINUTE), RULES, START + MINUTE) == Refuse("waiting")
    assert enter(person_with(run), ENTRY, RULES, START + MINUTE) == Refuse("repeat")
    keyed = run_of(entry=later(timedelta(0), "o-1"))
    other = later(MINUTE, "o-2")
    assert enter(person_with(keyed), other, RULES, START + MINUTE) == Enter(DUE + MINUTE)


def test_case_27_again_holds_over_leaving_a_segment() -> None:
    rules = rules_of(scenario(condition=WORTH_50))
    outside, inside = profile_with(at=START + 2 * DAY), profile_with(at=START + 3 * DAY)
    inside["basket"] = {**inside["basket"], "total": 60}
    now = START + 2 * DAY
    left = person_with(over(rules.own), profile=outside)
    assert enter(left, later(2 * DAY), rules, now) == Refuse("again")
    back = person_with(over(rules.own), profile=inside)
    assert enter(back, later(3 * DAY), rules, now + DAY) == Refuse("again")
    assert enter(person_with(profile=outside), later(2 * DAY), rules, now) == Refuse("if")


def test_case_28_again_is_over_after_its_days() -> None:
    person = person_with(over())
    just_before, then = later(7 * DAY + 59 * MINUTE), later(7 * DAY + HOUR)
    assert enter(person, just_before, RULES, just_before.at) == Refuse("again")
    assert enter(person, then, RULES, then.at) == Enter(then.at + HOUR)
    by_entry = rules_of(scenario(again=Again(length=7 * DAY, since="entry")))
    assert enter(person, later(7 * DAY), by_entry, START + 7 * DAY) == Enter(DUE + 7 * DAY)


def test_push_that_was_given_back_counts_for_no_again() -> None:
    run = give_back(over(), "f-1", "only", scenario(), DUE + MINUTE)
    entry = later(2 * HOUR)
    assert enter(person_with(run), entry, RULES, entry.at) == Enter(entry.at + HOUR)
    exited = end_run(run_of(), "emptied", START + MINUTE)
    assert enter(person_with(exited), later(2 * MINUTE), RULES, DUE) == Enter(DUE + 2 * MINUTE)


def test_case_31_stricter_only_stops_who_waits_and_looser_starts_nobody() -> None:
    loose, strict = scenario(), scenario(step(only=WORTH_50), version=2)
    for own, present in ((loose, strict), (strict, loose)):
        found = wake(run_of(own), DUE, own=own, present=present)
        assert found == Skip("hour", "only")
    assert wake(run_of(loose), DUE, own=loose) == Push()


def test_case_32_step_added_or_wait_changed_is_not_for_who_is_under_way() -> None:
    own = scenario()
    longer = scenario(step(wait=after(5)), step("day", after(1440)), version=2)
    rules = replace(rules_of(own), present=longer)
    looks = [START + n * 5 * MINUTE for n in range(12 * 30)]
    _, found = walk(person_with(), rules, looks)
    assert [(at, one) for at, one in found if isinstance(one, Push)] == [(DUE, Push())]


def test_more_exits_and_less_lateness_count_for_all_at_once() -> None:
    own = scenario(until=())
    bought = person_with(profile=profile_with(purchases=[order(START + MINUTE, "cup")]))
    assert wake(run_of(own), DUE, bought, own=own) == Push()
    stricter = replace(own, until=("bought",))
    assert wake(run_of(own), DUE, bought, own=own, present=stricter) == End("bought")
    assert wake(run_of(own), DUE + HOUR, own=own) == Push()
    sooner = replace(own, max_late=5 * MINUTE)
    assert wake(run_of(own), DUE + HOUR, own=own, present=sooner) == Skip("hour", "late")
    later_on = replace(own, max_late=DAY)
    assert wake(run_of(own), DUE + 3 * HOUR, own=own, present=later_on) == Skip("hour", "late")


def test_deleted_scenario_ends_runs_and_takes_nobody() -> None:
    assert wake(run_of(), START, present=None) == End("deleted")
    assert enter(person_with(), ENTRY, rules_of(present=None), START) == Refuse("deleted")


def test_case_33_on_again_restarts_nobody() -> None:
    run = over()
    assert wake(run, START + DAY) == End("done")
    assert enter(person_with(run), ENTRY, RULES, START + DAY) == Refuse("repeat")


def test_case_35_both_waiting_and_joined_is_one_push() -> None:
    own = scenario(step(), step("day", after(1440)))
    rules, survivor = rules_of(own), run_of(own, entry=later(10 * MINUTE), due=DUE + 10 * MINUTE)
    merged = replace(run_of(own), person="anonymous")
    person = person_with(survivor)
    # Nothing was pushed yet: the survivor's stays as it is.
    assert take_over(merged, survivor, person, own) == survivor
    # The merged person's was: its step is done, also where it is met twice.
    pushed = push_run(merged, "f-1", own, DUE)
    joined = take_over(pushed, survivor, person, own)
    assert (joined.step, joined.pushes, joined.person) == ("day", pushed.pushes, "p-1")
    assert take_over(pushed, joined, person, own) == joined
    assert wake(joined, DUE + 10 * MINUTE, own=own) == Wait(DUE + DAY)
    # Without a run of her own, it goes on under her name.
    alone = take_over(pushed, None, person_with(), own)
    assert (alone.id, alone.step, alone.pushes) == ("demo:basket:p-1:1", "day", pushed.pushes)
    assert rules.own.step("day") is not None
    # A survivor who is ahead isn't put back.
    ahead = push_run(push_run(survivor, "f-2", own, DUE), "f-3", own, DUE + DAY)
    assert take_over(pushed, ahead, person, own).step is None


def test_entries_by_the_clock_are_pushed_while_planning() -> None:
    daily = scenario(step(wait=after(0)), entry=OnDaily(at=START.time()), until=())
    person = person_with(profile=profile_with(basket=empty_basket()))

    def planned(own: Scenario) -> Decision:
        stage: Stage = "planning"
        return decide(person, ENTRY, rules_of(own), EMPTY_WORLD, START + HOUR, stage)

    found = planned(daily)
    assert isinstance(found, Push)
    assert found.variables["entry"]["items"] == ["tea"]
    assert planned(replace(daily, steps=(step(wait=after(120)),))) == Enter(START + 2 * HOUR)
    assert planned(replace(daily, steps=(step(wait=after(0), only=WORTH_50),))) == Skip(
        "hour", "only"
    )
    assert planned(replace(daily, condition=WORTH_50)) == Refuse("if")


def test_trace_names_each_rule_that_was_applied() -> None:
    found = wake(run_of(), DUE - MINUTE)
    assert [(check.rule, check.ok) for check in found.trace] == [
        ("on", True), ("until", True), ("done", True), ("step", True), ("off", True),
        ("late", True), ("wait", False),
    ]  # fmt: skip
    assert found.trace[-1].detail == "due 2026-11-01T13:00:00.000Z"
    pushed = plan(run_of(), DUE, person_with(), RULES)
    assert [check.rule for check in pushed.trace] == [
        "on", "until", "step", "wait", "only", "choose",
    ]  # fmt: skip
    assert all(check.ok for check in pushed.trace)
    bought = enter(person_with(over()), later(DAY), RULES, START + DAY)
    assert bought.trace[-1] == ("again", False, "again from 2026-11-08T13:00:00.000Z")


def test_orders_that_enter_have_runs_of_their_own() -> None:
    rules = rules_of(scenario(entry=OnBought(), until=()))
    first, second = later(timedelta(0), "o-1"), later(MINUTE, "o-2")
    person = person_with(begin_run(person_with(), first, DUE, rules))
    assert isinstance(enter(person, second, rules, START + MINUTE), Enter)
    ids = [begin_run(person, entry, DUE, rules).id for entry in (first, second)]
    assert ids == ["demo:basket:p-1:o-1:2", "demo:basket:p-1:o-2:1"]
