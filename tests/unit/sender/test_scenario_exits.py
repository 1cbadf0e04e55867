"""Decisions that end or stop a run: exits, and what the look before a release finds."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sender_service.models.decide.decision import (
    End,
    Push,
    Refuse,
    Skip,
    Wait,
    why_not_applicable,
)
from sender_service.models.decide.progress import push_run
from sender_service.models.decide.rules import Rules
from sender_service.models.decide.world import Product, World
from sender_service.models.scenario.entry_rules import OnBought, OnViewed
from sender_service.models.scenario.run import Click, Entry, FiredStep, ItemClaim, RunEnd
from sender_service.models.scenario.scenario import Choose
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
    line,
    order,
    person_with,
    plan,
    profile_with,
    release,
    rules_of,
    run_of,
    scenario,
    step,
    wake,
)

DUE = START + HOUR
RULES = rules_of()


def fired(rules: Rules = RULES, *about: ItemClaim, **fields: object) -> FiredStep:
    """Return the first step of a run, as a firing took it when it was due."""
    run = push_run(run_of(rules.own), "f-1", rules.own, DUE)
    return FiredStep(run=replace(run, **fields), step=rules.own.steps[0].id, about=about)  # type: ignore[arg-type]


def test_case_1_bought_a_second_before_due() -> None:
    buyer = profile_with(purchases=[order(DUE - timedelta(seconds=1), "tea")])
    assert wake(run_of(), DUE, person_with(profile=buyer)) == End("bought")


def test_case_2_bought_between_planning_and_release() -> None:
    assert isinstance(plan(fired().run, DUE, person_with(), RULES), Push)
    buyer = profile_with(purchases=[order(DUE + MINUTE, "cup")])
    stopped = release(fired(), DUE + 2 * MINUTE, person_with(profile=buyer), RULES)
    assert stopped == End("bought") and why_not_applicable(stopped) == "bought"


def test_case_3_bought_on_the_phone_with_the_basket_on_the_laptop() -> None:
    # The laptop goes on naming its basket; the order came from the other browser of the person.
    profile = profile_with(at=START + 30 * MINUTE, purchases=[order(START + 20 * MINUTE, "tea")])
    assert wake(run_of(), DUE + HOUR, person_with(profile=profile)) == End("bought")
    rules = rules_of(scenario(until=("emptied",)))
    run, later = run_of(rules.own), START + 3 * HOUR
    assert wake(run, DUE + HOUR, person_with(profile=profile), own=rules.own) == End("emptied")
    entry = Entry(at=START + 30 * MINUTE, event="e-2")
    assert enter(person_with(profile=profile), entry, RULES, later) == Refuse("emptied")


def test_case_4_anonymous_person_becomes_a_customer_at_the_checkout() -> None:
    # The run began under the anonymous name; the survivor's profile has the order.
    buyer = profile_with(aliases=["anonymous"], purchases=[order(START + MINUTE, "tea")])
    run = replace(run_of(), person="anonymous")
    assert wake(run, DUE, person_with(profile=buyer)) == End("bought")


def test_case_5_basket_emptied_after_planning() -> None:
    empty = profile_with(basket=empty_basket())
    stopped = release(fired(), DUE + MINUTE, person_with(profile=empty), RULES)
    assert stopped == End("emptied") and why_not_applicable(stopped) == "emptied"


def test_case_6_chosen_item_is_bought() -> None:
    rules = rules_of(scenario(step(choose=Choose(source="viewed")), entry=OnViewed(), until=()))
    about = ItemClaim(item="cup")
    for at in (DUE + MINUTE, START - 3 * DAY):  # a late report of an older order counts as well
        buyer = profile_with(purchases=[order(at, "cup")])
        stopped = release(fired(rules, about), DUE + HOUR, person_with(profile=buyer), rules)
        assert why_not_applicable(stopped) == "bought_item"
    other = profile_with(purchases=[order(DUE + MINUTE, "pot")])
    assert release(fired(rules, about), DUE + HOUR, person_with(profile=other), rules) == Push(
        (about,)
    )


def test_case_7_of_keyed_runs_one_exits_and_the_other_stays() -> None:
    own = scenario(step(wait=after(2 * 1440)), entry=OnBought(), until=("clicked",))
    runs = [run_of(own, entry=Entry(at=START, event=f"e-{key}", key=key)) for key in ("o-1", "o-2")]
    assert runs[0].id != runs[1].id
    first = push_run(runs[0], "f-1", own, START)
    person = person_with(first, runs[1], clicks=[Click(send="f-1", at=START + MINUTE)])
    rules = {"own": own}
    assert wake(first, START + HOUR, person, **rules) == End("clicked")
    assert wake(runs[1], START + HOUR, person, **rules) == Wait(START + 2 * DAY)


def test_case_8_last_years_order_does_not_exit() -> None:
    profile = profile_with(purchases=[order(START - 365 * DAY, "tea")])
    person = person_with(profile=profile)
    assert isinstance(wake(run_of(), DUE, person), Push)
    # Nor is what she bought then left out, where it lies in her basket again.
    rules = rules_of(scenario(step(choose=Choose(source="basket"))))
    chosen = plan(run_of(rules.own), DUE, person, rules)
    assert isinstance(chosen, Push) and chosen.about == (ItemClaim(item="tea"),)


def test_the_order_that_entered_is_no_purchase_since() -> None:
    own = scenario(entry=OnBought(), until=("bought",))
    run = run_of(own, entry=Entry(at=START, event="e-1", key="o-1"))
    profile = profile_with(purchases=[order(START, "tea", id="o-1")])
    assert isinstance(wake(run, DUE, person_with(profile=profile), own=own), Push)
    again = profile_with(purchases=[order(START, "tea", id="o-2"), *profile["purchases"]])
    assert wake(run, DUE, person_with(profile=again), own=own) == End("bought")


def test_basket_counts_as_emptied_only_while_the_order_is_of_the_last_day() -> None:
    rules = rules_of(scenario(until=("emptied",)))
    ordered = profile_with(line("tea"), line("cup"), purchases=[order(START - HOUR, "tea", "cup")])
    person = person_with(profile=ordered)
    assert enter(person, ENTRY, rules, START) == Refuse("emptied")
    assert wake(run_of(rules.own), START + 23 * HOUR, person, own=rules.own) == End("emptied")
    after_a_day = wake(run_of(rules.own), START + 23 * HOUR + MINUTE, person, own=rules.own)
    assert isinstance(after_a_day, Skip)  # late by then, but no exit
    part = profile_with(line("tea"), line("cup"), purchases=[order(START - HOUR, "tea")])
    assert not isinstance(enter(person_with(profile=part), ENTRY, rules, START), Refuse)


@pytest.mark.parametrize("why", ["bought", "emptied", "deleted", "ended"])
def test_planned_push_of_a_run_that_was_ended_is_stopped(why: str) -> None:
    over = fired(RULES, ended=RunEnd(why=why, at=DUE))  # type: ignore[arg-type]
    stopped = release(over, DUE + MINUTE, person_with(), RULES)
    known = {"bought": "bought", "emptied": "emptied"}
    assert why_not_applicable(stopped) == known.get(why, "exited")


def test_planned_push_goes_on_after_its_run_was_done_or_went_over() -> None:
    for ended in (RunEnd(why="done", at=DUE), RunEnd(why="merged", at=DUE)):
        assert isinstance(release(fired(RULES, ended=ended), DUE, person_with(), RULES), Push)


def test_edit_between_planning_and_release_exits() -> None:
    own = RULES.own
    edits = {
        "off": replace(own, enabled=False),
        "gone": replace(own, steps=(step("other"),)),
        "only": replace(own, steps=(step(only=WORTH_50),)),
        "deleted": None,
    }
    for why, present in edits.items():
        rules = replace(RULES, present=present)
        stopped = release(fired(), DUE + MINUTE, person_with(), rules)
        assert stopped == Skip("hour", why)  # type: ignore[arg-type]
        assert why_not_applicable(stopped) == "exited"


def world(**product: object) -> World:
    given = {"id": "tea", "price": 20.0, "currency": "EUR", "in_stock": True, **product}
    return World(products={"tea": Product(**given)}, seen_at=START)  # type: ignore[arg-type]


def test_case_45_out_of_stock_before_the_release() -> None:
    rules = rules_of(scenario(step(choose=Choose(source="basket"))))
    claim = ItemClaim(item="tea", price=20.0)
    person = person_with()

    def found(world: World, hours: float = 1) -> str | None:
        at = START + hours * HOUR
        return why_not_applicable(release(fired(rules, claim), at, person, rules, world=world))

    assert found(world()) is None
    assert found(world(in_stock=False)) == "out_of_stock"
    assert found(world(price=19.0)) == "price_changed"
    assert found(world(), hours=27) == "stale"
    assert found(World(products={}, seen_at=START)) == "stale"
    assert found(World()) is None  # without a catalogue nothing is unknown or stale
