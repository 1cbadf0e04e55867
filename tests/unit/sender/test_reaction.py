"""Reactions to moments: which runs they end, and which they begin; a repeated moment does nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sender_service.models.decide.app_rules import AppRules
from sender_service.models.decide.entering import MAX_KEPT
from sender_service.models.decide.person import Person
from sender_service.models.decide.progress import end_run
from sender_service.models.decide.reaction import Reaction, react
from sender_service.models.decide.world import EMPTY_WORLD
from sender_service.models.scenario.entry_rules import OnBought, OnEvent, OnSubscribed
from sender_service.models.scenario.run import Entry, RunEnd
from sender_service.models.scenario.scenario import Again
from shared.documents.profile import Profile
from shared.models.facts import BasketChanged, Bought, CustomEvent, Fact, FactLine, Subscribed
from shared.models.person_moment import PersonMoment
from tests.support.clocks import START
from tests.unit.sender.scenario_builders import (
    DAY,
    HOUR,
    MINUTE,
    app_rules,
    empty_basket,
    line,
    order,
    person_with,
    profile_with,
    run_of,
    scenario,
    step,
)

NO_AGAIN = Again(length=timedelta(0), since="push")


def moment(*facts: Fact, **fields: Any) -> PersonMoment:
    return PersonMoment.model_validate(
        {"app": "demo", "person": "p-1", "seenAt": START, "facts": list(facts), **fields}
    )


def basket(minutes: float = 0, *items: str) -> BasketChanged:
    lines = [FactLine(item, 1, 20.0) for item in items or ("tea",)]
    return BasketChanged(f"basket-{minutes}", START + minutes * MINUTE, lines)


def bought(minutes: float, id: str = "o-1") -> Bought:
    lines = [FactLine("tea", 1, 20.0)]
    return Bought(f"bought-{minutes}", START + minutes * MINUTE, id, lines, "page")


def bought_by(minutes: float, profile: Profile | None = None) -> Profile:
    at = START + minutes * MINUTE
    return profile or profile_with(basket=empty_basket(), purchases=[order(at, "tea")])


def reaction(
    person: Person, *facts: Fact, by: AppRules | None = None, minutes: float = 1
) -> Reaction:
    now = START + minutes * MINUTE
    return react(person, [moment(*facts)], by or app_rules(), EMPTY_WORLD, now)


def test_basket_begins_a_run_once() -> None:
    found = reaction(person_with(), basket(), basket())
    (run,) = found.begun
    assert (run.id, run.due, run.entry.items) == ("demo:basket:p-1:1", START + HOUR, ("tea",))
    assert found.refused == {("basket", "repeat"): 1} and not found.ended
    again = reaction(found.person, basket(), basket(2))
    assert again.is_empty and again.refused == {("basket", "repeat"): 1, ("basket", "waiting"): 1}


def test_purchase_ends_the_run_as_of_the_order() -> None:
    buyer = person_with(run_of(), profile=bought_by(10))
    found = reaction(buyer, bought(10), minutes=30)
    (run,) = found.ended
    assert run.ended == RunEnd(why="bought", at=START + 10 * MINUTE)
    assert reaction(found.person, bought(10), minutes=31).is_empty


def test_basket_that_is_filled_after_the_order_begins_a_new_run() -> None:
    at = START + 20 * MINUTE
    profile = profile_with(at=at, purchases=[order(START + 10 * MINUTE, "tea")])
    profile["basket"]["items"] = [line("cup")]
    person = person_with(run_of(), profile=profile)
    found = reaction(person, bought(10), basket(20, "cup"), minutes=30)
    assert [run.n for run in found.begun] == [2] and len(found.ended) == 1
    # In whatever pieces they come: what is known of her is as new.
    first = reaction(person, bought(10), minutes=30)
    second = reaction(first.person, basket(20, "cup"), minutes=30)
    assert first.ended == found.ended and second.begun == found.begun


def test_of_two_orders_the_first_ends_the_run() -> None:
    orders = [order(START + 30 * MINUTE, "cup", id="o-2"), order(START + 10 * MINUTE, "tea")]
    person = person_with(run_of(), profile=profile_with(basket=empty_basket(), purchases=orders))
    found = reaction(person, bought(10), basket(20), bought(30, "o-2"), minutes=40)
    assert [run.ended and run.ended.at for run in found.ended] == [START + 10 * MINUTE]
    assert not found.begun and found.refused == {("basket", "bought"): 1}


def test_basket_that_is_emptied_ends_the_run_as_of_then() -> None:
    empty = {**empty_basket(), "at": START + 5 * MINUTE, "since": START + 5 * MINUTE}
    found = reaction(person_with(run_of(), profile=profile_with(basket=empty)), minutes=9)
    assert found.ended[0].ended == RunEnd(why="emptied", at=START + 5 * MINUTE)


def test_case_7_an_order_exits_the_others_runs_and_begins_its_own() -> None:
    own = scenario(step(), entry=OnBought(), until=("bought",), again=NO_AGAIN)
    first = reaction(
        person_with(profile=profile_with(purchases=[order(START, "tea")])),
        bought(0),
        by=app_rules(own),
    )
    orders = [order(START + HOUR, "cup", id="o-2"), order(START, "tea")]
    person = person_with(*first.begun, profile=profile_with(purchases=orders))
    found = reaction(person, bought(60, "o-2"), by=app_rules(own), minutes=61)
    assert [run.entry.key for run in found.ended] == ["o-1"]
    assert [run.entry.key for run in found.begun] == ["o-2"]
    assert reaction(found.person, bought(0), bought(60, "o-2"), by=app_rules(own)).is_empty


def test_case_30_event_of_three_days_ago_is_late() -> None:
    found = reaction(person_with(), basket(-3 * 1440))
    assert found.is_empty and found.refused == {("basket", "late"): 1}


def test_scenario_that_is_off_takes_nobody_and_its_exits_count() -> None:
    off = app_rules(scenario(enabled=False, version=2))
    assert reaction(person_with(), basket(), by=off).is_empty
    own = app_rules(*off.present.values(), own={("basket", 1): scenario()})
    buyer = person_with(run_of(), profile=bought_by(10))
    assert len(reaction(buyer, bought(10), by=own, minutes=30).ended) == 1


def test_present_version_may_end_more() -> None:
    loose, strict = scenario(until=()), scenario(until=("bought",), version=2)
    both = app_rules(strict, own={("basket", 1): loose})
    buyer = person_with(run_of(loose), profile=bought_by(10))
    assert len(reaction(buyer, bought(10), by=both, minutes=30).ended) == 1
    assert reaction(buyer, bought(10), by=app_rules(loose), minutes=30).is_empty


def test_several_scenarios_enter_by_one_moment() -> None:
    both = app_rules(scenario(), scenario(id="welcome", entry=OnSubscribed(), until=()))
    facts = (basket(), Subscribed("s-1", START))
    found = react(person_with(), [moment(*facts, subscribed=1)], both, EMPTY_WORLD, START + MINUTE)
    assert sorted(run.scenario for run in found.begun) == ["basket", "welcome"]


def test_invented_keys_begin_a_bounded_number_of_runs() -> None:
    own = scenario(entry=OnEvent(type="quiz", key="id"), until=(), again=NO_AGAIN)
    facts = [CustomEvent(f"e-{n}", START, "quiz", {"id": n}) for n in range(150)]
    found = reaction(person_with(), *facts, by=app_rules(own))
    assert len(found.begun) == 100 and found.refused == {("basket", "full"): 50}


def test_a_basket_that_is_filled_and_emptied_begins_a_bounded_number_of_runs() -> None:
    # Its pushes come to nothing, so `again` holds nobody up; each look reads all runs that are kept.
    kept = [
        end_run(
            run_of(n=n, entry=Entry(at=START - n * MINUTE, event=f"e-{n}")), "emptied", START - DAY
        )
        for n in range(1, MAX_KEPT + 1)
    ]
    found = reaction(person_with(*kept), basket())
    assert not found.begun and found.refused == {("basket", "full"): 1}
    assert len(reaction(person_with(*kept[1:]), basket()).begun) == 1


def test_run_that_waits_for_its_second_step_exits_too() -> None:
    own = scenario(step(), step("day"))
    later = run_of(own, step="day", due=START + 2 * DAY)
    buyer = person_with(later, profile=bought_by(90))
    assert len(reaction(buyer, bought(90), by=app_rules(own), minutes=91).ended) == 1
