"""Items of pushes that the clock begins: a run has them at once, and the next push leaves them out."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

from sender_service.models.decide.clock_entry import look_at_entry
from sender_service.models.decide.fired import FiredPush, decide_fired
from sender_service.models.decide.world import EMPTY_WORLD
from sender_service.models.scenario.entry_rules import OnDaily
from sender_service.models.scenario.push_look import PushLook
from sender_service.models.scenario.run import Entry, Run
from sender_service.models.scenario.scenario import Again, Choose
from tests.support.clocks import START
from tests.unit.sender.scenario_builders import (
    DAY,
    after,
    line,
    person_with,
    profile_with,
    rules_of,
    scenario,
    step,
)

VIEWS: Any = [{"item": item, "category": None, "at": START} for item in "ab"]
RULES = rules_of(
    scenario(
        step("first", after(0, "entry"), choose=Choose(source="viewed")),
        entry=OnDaily(at=time(12)), until=(), again=Again(length=timedelta(days=1), since="push"),
    )
)  # fmt: skip
VIEWER = profile_with(line("x"), viewed=VIEWS)


def look(days: int, *runs: Run) -> PushLook:
    at = START + days * DAY
    entry = Entry(at=at, event=f"f-{days}")
    return look_at_entry(person_with(*runs, profile=VIEWER), entry, RULES, EMPTY_WORLD, at)


def items(found: PushLook) -> list[str]:
    return [claim.item for claim in found.about]


def test_next_push_of_the_clock_is_about_another_item() -> None:
    first = look(0)
    assert first.run is not None and first.run.pushes[0].items == ("a",) == (*items(first),)
    assert items(look(1, first.run)) == ["b"]
    assert items(look(8, first.run)) == ["a"]


def test_planner_that_goes_on_chooses_the_same_item() -> None:
    begun = look(0).run
    assert begun is not None
    person, push = person_with(begun, profile=VIEWER), FiredPush("f-0", "first")
    found = decide_fired(person, push, RULES, EMPTY_WORLD, START, "planning")
    assert items(found) == ["a"]
