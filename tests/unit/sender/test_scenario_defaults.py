"""Tests of what a scenario's body means: its defaults, its entry rule, its waits, what goes together."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from sender_service.models.scenario.entry_rules import (
    OnBackInStock,
    OnBasket,
    OnBought,
    OnCategory,
    OnDaily,
    OnEvent,
    OnIdentified,
    OnNewIn,
    OnOnce,
    OnPriceDrop,
    OnSegment,
    OnSubscribed,
    OnViewed,
)
from sender_service.models.scenario.scenario import After, Again, At, Choose
from shared.errors import InvalidPayload
from tests.support.scenarios import (
    SMALL,
    STEP,
    build_scenario,
    errors_of,
    read_scenario,
    with_value,
)

VIEWED = {**SMALL, "enter": {"on": "viewed"}}


def test_defaults() -> None:
    scenario = build_scenario()
    assert (scenario.enabled, scenario.priority, scenario.condition) == (False, 50, None)
    assert scenario.again == Again(length=timedelta(days=7), since="push")
    assert (scenario.max_late, scenario.spread) == (timedelta(hours=2), timedelta())
    assert scenario.steps[0].wait == After(length=timedelta(), of="entry")
    assert build_scenario(again={"from": "entry"}).again.length == timedelta(days=7)


def test_a_purchase_ends_runs_that_a_moment_began_by_default() -> None:
    assert build_scenario().until == ("bought",)
    assert build_scenario(enter={"on": "daily", "at": "10:00"}).until == ()
    assert build_scenario(until=[]).until == ()
    assert build_scenario(until=["clicked", "bought"]).until == ("bought", "clicked")


def test_waits_count_from_the_entry_then_from_the_step_before() -> None:
    steps = [{**STEP, "id": str(n), "after": {"minutes": n}} for n in range(3)]
    waits = [step.wait for step in build_scenario(steps=steps).steps]
    assert [wait.of for wait in waits if isinstance(wait, After)] == [
        "entry",
        "previous",
        "previous",
    ]
    at = build_scenario(steps=[{**STEP, "at": {"time": "24:00"}}]).steps[0].wait
    assert at == At(time=time(), days=0, zone="app")


@pytest.mark.parametrize(
    ("waits", "is_taken"),
    [
        ([{"after": {"minutes": 129_600}}, {"after": {"minutes": 0}}], True),
        ([{"after": {"minutes": 129_600}}, {"after": {"minutes": 1}}], False),
        ([{"after": {"minutes": 129_600}}, {"after": {"minutes": 5, "of": "entry"}}], True),
        ([{"after": {"minutes": 64_800, "of": "silence"}}, {"at": {"time": "10:00", "days": 45}}], True),
        ([{"after": {"minutes": 64_801, "of": "silence"}}, {"at": {"time": "10:00", "days": 45}}], False),
        ([{"at": {"time": "10:00", "days": 60}}, {"at": {"time": "10:00", "days": 31}}], False),
    ],
)  # fmt: skip
def test_steps_together_last_at_most_90_days(waits: list[dict[str, Any]], is_taken: bool) -> None:
    steps = [{**STEP, "id": str(n), **wait} for n, wait in enumerate(waits)]
    body = {**SMALL, "steps": steps}
    if is_taken:
        read_scenario(body)
    else:
        assert errors_of(body) == [("body.steps", "steps_too_long")]


def test_steps_without_waits_are_taken() -> None:
    # They come 60 minutes apart: a rule of the run, not of what may be written.
    read_scenario({**SMALL, "steps": [{**STEP, "id": str(n)} for n in range(10)]})


def test_a_choice_has_at_most_two_others_after_it() -> None:
    choose: dict[str, Any] = {"from": "hotDeals", "in": "lastCategory"}
    for deep in range(1, 4):
        choose = {"from": "entry", "take": 2, "else": choose}
        body = with_value(SMALL, "steps.0.choose", choose)
        if deep < 3:
            read_scenario(body)
        else:
            path = "body.steps.0.choose.else.else.else"
            assert errors_of(body) == [(path, "too_deep")]
    for _ in range(5_000):
        choose = {"from": "entry", "else": choose}
    assert errors_of(with_value(SMALL, "steps.0.choose", choose))[0][1] == "too_deep"


def test_a_choice_is_read_with_its_defaults() -> None:
    step = build_scenario(steps=[{**STEP, "choose": {"from": "entry", "else": {"from": "viewed"}}}])
    last = Choose(source="viewed", take=1, otherwise="skip")
    assert step.steps[0].choose == Choose(source="entry", otherwise=last)


@pytest.mark.parametrize(
    ("enter", "rule"),
    [
        ({"on": "basket"}, OnBasket()),
        ({"on": "viewed", "atLeast": 2, "items": [7]}, OnViewed(items=("7",), at_least=2)),
        ({"on": "viewed", "categories": ["tea"]}, OnViewed(categories=("tea",))),
        ({"on": "category", "ids": ["tea"]}, OnCategory(ids=("tea",))),
        ({"on": "bought", "items": ["1"], "categories": ["t"]},
         OnBought(items=("1",), categories=("t",))),
        ({"on": "identified"}, OnIdentified()),
        ({"on": "subscribed"}, OnSubscribed()),
        ({"on": "event", "type": "quiz", "where": {"b": 1, "a": True}, "key": "id"},
         OnEvent(type="quiz", where=(("a", True), ("b", 1)), key="id")),
        ({"on": "daily", "at": "17:00", "days": ["th", "mo"], "zone": "person"},
         OnDaily(at=time(17), days=("mo", "th"), zone="person")),
        ({"on": "once", "at": "2027-01-31T10:00:00.123456+01:00"},
         OnOnce(at=datetime(2027, 1, 31, 9, 0, 0, 123_000, UTC))),
        ({"on": "newIn", "at": "10:00"}, OnNewIn(at=time(10), days=7)),
        ({"on": "priceDrop"}, OnPriceDrop(percent=5, viewed_within=timedelta(days=30))),
        ({"on": "backInStock", "viewedWithin": 3}, OnBackInStock(viewed_within=timedelta(days=3))),
    ],
)  # fmt: skip
def test_entry_rules(enter: dict[str, Any], rule: object) -> None:
    assert build_scenario(enter=enter).entry == rule


def test_a_segment_enters_daily_with_its_condition() -> None:
    scenario = build_scenario(enter={"on": "segment", "at": "10:00"}, **{"if": {"known": "login"}})
    assert scenario.entry == OnSegment(at=time(10)) and scenario.condition is not None


def test_errors_between_fields_come_together() -> None:
    body = {**SMALL, "enter": {"on": "segment", "at": "10:00"}, "until": ["emptied"]}
    codes = [
        code
        for _, code in errors_of(with_value(body, "steps.0.after", {"minutes": 1, "of": "silence"}))
    ]
    assert codes == ["silence_needs_moment", "emptied_needs_basket", "segment_needs_if"]


def test_the_first_error_names_the_refusal() -> None:
    with pytest.raises(InvalidPayload) as caught:
        read_scenario({**VIEWED, "until": ["emptied"]})
    assert caught.value.code == "emptied_needs_basket"
    assert caught.value.message.startswith("body.until: emptied ends runs")
