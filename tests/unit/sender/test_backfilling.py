"""Backfill of one person: entries of her moments whose first step is due in the future, spread out."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime
from typing import Any

from sender_service.models.decide.backfilling import Backfilled, backfill_person
from sender_service.models.decide.decision import Push
from sender_service.models.decide.person import Person
from sender_service.models.decide.world import EMPTY_WORLD
from sender_service.models.scenario.backfill import Backfill
from sender_service.models.scenario.scenario import NEVER_ON, OffInterval
from shared.models.facts import BasketChanged, FactLine
from shared.models.person_moment import PersonMoment
from tests.support.clocks import START
from tests.unit.sender.scenario_builders import (
    DAY,
    HOUR,
    MINUTE,
    after,
    person_with,
    profile_with,
    rules_of,
    scenario,
    step,
    wake,
)

A_DAY_LATER = scenario(step(wait=after(24 * 60)))
NEW = replace(A_DAY_LATER, off=(OffInterval(start=None, end=START + 2 * HOUR),))


def moment(at: datetime = START) -> PersonMoment:
    lines = [FactLine(item="tea", quantity=1)]
    fact = BasketChanged(id=f"e-{at:%d%H%M}", at=at, items=lines, total=20.0, currency="EUR")
    return PersonMoment(
        app="demo", person="p-1", seen_at=at, zone=None, subscribed=1, facts=(fact,)
    )


def backfill(now: datetime, *moments: PersonMoment, **given: Any) -> Backfilled:
    person: Person = given.get("person") or person_with(profile=profile_with(at=START))
    rules = rules_of(given.get("own", NEW))
    asked = Backfill(
        app="demo",
        scenario=rules.own.id,
        version=rules.own.version,
        since=given.get("since", START - DAY),
        until=given.get("until", now),
        spread=given.get("spread", HOUR),
    )
    return backfill_person(person, moments or (moment(),), rules, EMPTY_WORLD, now, asked)


def test_who_came_while_it_was_off_enters_where_the_step_is_to_come() -> None:
    assert NEW.off[:1] != NEVER_ON
    (run,) = backfill(START + 2 * HOUR).begun
    assert (run.entry.at, run.due) == (START, START + DAY)
    pushed = wake(run, run.due, person_with(run, profile=profile_with(at=START)), own=NEW)
    assert isinstance(pushed, Push)


def test_what_was_due_before_is_not_made_up_for() -> None:
    found = backfill(START + DAY)
    assert (found.begun, found.refused) == ([], {"over": 1})
    assert backfill(START + 2 * DAY).refused == {"late": 1}


def test_moments_again_and_those_of_who_is_in_make_no_second_run() -> None:
    found = backfill(START + 2 * HOUR, moment(), moment())
    assert (len(found.begun), found.refused) == (1, {"repeat": 1})
    again = person_with(*found.begun, profile=profile_with(at=START))
    assert backfill(START + 2 * HOUR, person=again).begun == []


def test_a_crowd_is_spread_and_nobody_is_late_by_it() -> None:
    now, dues = START + DAY - MINUTE, []
    for n in range(50):
        profile = {**profile_with(at=START), "_id": f"p-{n}"}
        (run,) = backfill(now, person=person_with(profile=profile), spread=12 * HOUR).begun  # type: ignore[arg-type]
        dues.append(run.due)
    latest = START + DAY + NEW.max_late / 2
    assert min(dues) >= START + DAY and latest - 10 * MINUTE < max(dues) < latest
    quarters = Counter(int((due - now) / (latest - now) * 4) for due in dues)
    assert min(quarters[n] for n in range(4)) >= 5, "nowhere a crowd"


def test_only_what_came_within_its_time_enters() -> None:
    now, early, late = START + 2 * HOUR, moment(START - HOUR), moment(START + HOUR)
    person = person_with(profile=profile_with(at=START - 2 * HOUR))
    for since, until, entered in (
        (START - HOUR, now, [START - HOUR]),
        (START - HOUR + MINUTE, now, [START + HOUR]),
        (START - DAY, START - 2 * HOUR, []),
        (START + 2 * HOUR, now, []),
    ):
        found = backfill(now, early, late, person=person, since=since, until=until)
        assert [run.entry.at for run in found.begun] == entered
