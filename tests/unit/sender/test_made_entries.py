"""Tests of entries made of profiles: as the moments that the profile is of would have made them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sender_service.models.decide.made_entry import LATELY, condition_of_entering, make_entry
from sender_service.models.decide.person import Person
from sender_service.models.decide.stepping import last_entry
from sender_service.models.scenario.run import Entry
from sender_service.models.segment_match import matches
from tests.support.clocks import START
from tests.support.documents import build_profile
from tests.support.scenarios import build_scenario
from tests.unit.sender.scenario_builders import DAY, HOUR, rules_of, run_of

LINES = [{"item": "tea", "quantity": 1, "price": 9.0}, {"item": "cup", "quantity": 2, "price": 1.0}]


def basket(age: timedelta, lines: Any = LINES) -> dict[str, Any]:
    at = START - age
    return {"items": lines, "total": 11.0, "currency": "EUR", "at": at, "since": at}


def views(*ages_and_items: tuple[timedelta, str]) -> list[dict[str, Any]]:
    return [
        {"item": item, "category": f"c-{item}", "at": START - age} for age, item in ages_and_items
    ]


def orders(*ages: timedelta) -> list[dict[str, Any]]:
    return [
        {"id": f"o-{n}", "items": LINES[n:], "revenue": 9.0, "currency": "EUR", "at": START - age}
        for n, age in enumerate(ages)
    ]


CASES: list[tuple[dict[str, Any], dict[str, Any], tuple[str, ...] | None]] = [
    ({"on": "basket"}, {"basket": basket(DAY)}, ("tea", "cup")),
    ({"on": "basket"}, {"basket": basket(8 * DAY)}, None),
    ({"on": "basket"}, {"basket": basket(DAY, [])}, None),
    ({"on": "viewed"}, {"viewed": views((HOUR, "tea"), (DAY, "cup"))}, ("tea", "cup")),
    ({"on": "viewed", "atLeast": 2}, {"viewed": views((HOUR, "tea"), (DAY, "tea"))}, None),
    ({"on": "viewed", "categories": ["c-cup"]}, {"viewed": views((HOUR, "tea"), (DAY, "cup"))},
     ("cup",)),
    ({"on": "viewed"}, {"viewed": views((8 * DAY, "tea"))}, None),
    ({"on": "category", "ids": ["x"]}, {"categories": [{"id": "x", "at": START - DAY}]}, ()),
    ({"on": "category", "ids": ["x"]}, {"categories": [{"id": "y", "at": START - DAY}]}, None),
    ({"on": "bought"}, {"purchases": orders(HOUR, DAY)}, ("tea", "cup")),
    ({"on": "bought", "items": ["pot"]}, {"purchases": orders(HOUR)}, None),
    ({"on": "identified"}, {"login": "a@shop.test"}, ()),
    ({"on": "identified"}, {}, None),
    ({"on": "subscribed"}, {"players": [{"id": "a", "state": "subscribed"}]}, ()),
    ({"on": "subscribed"}, {"players": [{"id": "a", "state": "unsubscribed"}]}, None),
    ({"on": "event", "type": "quiz"}, {}, ()),
    ({"on": "daily", "at": "10:00"}, {}, ()),
    ({"on": "backInStock"}, {"viewed": views((HOUR, "tea"))}, None),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "profile", "items"), CASES)
def test_an_entry_is_made_of_what_the_profile_shows(
    rule: dict[str, Any], profile: dict[str, Any], items: tuple[str, ...] | None
) -> None:
    entering = build_scenario(enter=rule).entry
    person = Person.of(build_profile("p-1", "demo", **{"lastSeenAt": START, **profile}))
    made = make_entry(entering, person, START, LATELY)
    assert (None if made is None else made.items) == items
    assert made is None or made.at == START
    condition = condition_of_entering(entering, None)
    # Who isn't read could not have entered.
    assert made is None or condition is None or matches(condition, person.profile, START)


def test_who_may_enter_fulfils_both_conditions() -> None:
    scenario = build_scenario(**{"if": {"basket": {"total": {"atLeast": 50}}}})
    condition = condition_of_entering(scenario.entry, scenario.condition)
    assert condition is not None
    for age, total, found in ((DAY, 60.0, True), (DAY, 11.0, False), (8 * DAY, 60.0, False)):
        profile = build_profile("p-1", "demo", basket={**basket(age), "total": total})
        assert matches(condition, profile, START) is found


def test_her_last_entry_comes_before_what_the_profile_shows() -> None:
    own = build_scenario()
    profile = build_profile("p-1", "demo", basket=basket(30 * DAY))
    entry = Entry(at=START - DAY, event="e-1", items=("pot",))
    entered = Person.of(profile, [run_of(own, entry=entry)])
    assert last_entry(entered, rules_of(own), START).items == ("pot",)
    assert last_entry(Person.of(profile), rules_of(own), START).items == ("tea", "cup")
    nobody = Person.of(build_profile("p-1", "demo"))
    assert last_entry(nobody, rules_of(own), START).items == ()
