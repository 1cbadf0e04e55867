"""The clock's firings: one an occurrence, whoever dies, stands still or comes late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from sender_service.models.scenario.entry_rules import OnDaily, OnOnce, OnSegment, Zone
from sender_service.models.scenario.firing import occurrence_id
from sender_service.models.scenario.scenario import Scenario
from sender_service.models.segment import Condition
from sender_service.scenarios.occurrences import Occurrences
from shared.clock import Clock
from tests.integration.sender.dying_stores import Fuse, Killed
from tests.integration.sender.waker_harness import (
    APP,
    MISSED_BEATS,
    StillComponent,
    Wakers,
    open_wakers,
    shifted,
)
from tests.support.clocks import START
from tests.unit.sender.scenario_builders import MINUTE, PARSER, after, step

LOGIN: Condition = PARSER.validate_python({"known": "login"})


@pytest.fixture
async def wakers(mongo_uri: str, tmp_path: Path) -> AsyncIterator[Wakers]:
    async with open_wakers(mongo_uri, tmp_path) as opened:
        yield opened


def occurrences(wakers: Wakers, clock: Clock | None = None) -> Occurrences:
    """Return the clock's loop of another process."""
    context = replace(wakers.context, clock=clock or wakers.clock, monotonic=wakers.clock.monotonic)
    return Occurrences.of(context, wakers.knowledge)


async def look(wakers: Wakers, *loops: Occurrences) -> None:
    for one in loops or (occurrences(wakers),):
        await one.look(cast(Any, StillComponent()))


async def put_daily(
    wakers: Wakers, clock: str = "13:00", zone: Zone = "app", **fields: Any
) -> Scenario:
    """Put a daily scenario that was always on, and so; it is noon."""
    entry = fields.pop("entry", OnDaily(at=time.fromisoformat(clock), zone=zone))
    wait = fields.pop("wait", after(0))
    own = await wakers.scenario(step(wait=wait), entry=entry, **fields)
    ever: dict[str, Any] = {"$set": {"timedSince": None}}
    await wakers.context.database["scenarios"].update_one({"_id": f"{APP}:{own.id}"}, ever)
    return own


async def made(wakers: Wakers) -> list[tuple[str, str]]:
    """Return the occurrences that made firings, and the firings' states."""
    found = wakers.context.database["firings"].find({})
    return sorted([(one["occurrence"]["name"], one["state"]) async for one in found])


TODAY = "2026-11-01"


async def test_an_occurrence_is_fired_once_by_all_replicas(wakers: Wakers) -> None:
    own = await put_daily(wakers, condition=LOGIN)
    one, other = occurrences(wakers), occurrences(wakers, shifted(wakers.clock, 60))
    await look(wakers, one, other)
    assert await made(wakers) == []
    wakers.after(minutes=60)
    await asyncio.gather(look(wakers, one), look(wakers, other))
    await look(wakers, one, other, occurrences(wakers))
    assert await made(wakers) == [(TODAY, "open")]
    await wakers.look()
    assert await made(wakers) == [(TODAY, "handed")]
    ((id, trigger),) = wakers.triggers().items()
    assert id == occurrence_id(APP, own.id, TODAY)
    assert trigger["audience"] == {"segment": {"known": "login"}}
    assert "recipients" not in trigger
    wakers.after(hours=24)
    await look(wakers, one, other)
    assert [name for name, _ in await made(wakers)] == [TODAY, "2026-11-02"]


async def test_without_a_condition_it_is_for_all(wakers: Wakers) -> None:
    await put_daily(wakers)
    wakers.after(hours=1)
    await look(wakers)
    await wakers.look()
    ((id, trigger),) = wakers.triggers().items()
    assert trigger["audience"] == {"all": True}
    firing = await wakers.firings.get(id)
    assert firing is not None and firing.occurrence is not None
    assert (firing.due_at, firing.occurrence.at) == (wakers.clock(), wakers.clock())
    assert firing.expires_at - firing.made_at == timedelta(hours=24)


@pytest.mark.parametrize(("minutes", "expected"), [(179, [TODAY]), (181, [])])
async def test_case_15_an_outage_is_made_up_for_within_max_late_alone(
    wakers: Wakers, minutes: int, expected: list[str]
) -> None:
    await put_daily(wakers)
    wakers.after(minutes=minutes)
    await look(wakers)
    assert [name for name, _ in await made(wakers)] == expected


async def test_a_week_away_brings_no_burst(wakers: Wakers) -> None:
    await put_daily(wakers, "12:30")
    wakers.after(days=7, hours=1)
    await look(wakers)
    assert [name for name, _ in await made(wakers)] == ["2026-11-08"]


async def test_case_20_nothing_of_an_interval_off_is_made_up_for(wakers: Wakers) -> None:
    own = await put_daily(wakers)
    stores = wakers.context.stores
    await stores.scenarios.put(replace(own, enabled=False), wakers.after(minutes=30))
    await look(wakers)
    await stores.scenarios.put(own, wakers.after(minutes=40))
    wakers.after(minutes=5)
    await look(wakers)
    assert await made(wakers) == []
    wakers.after(hours=24)
    await look(wakers)
    assert [name for name, _ in await made(wakers)] == ["2026-11-02"]


async def test_an_edit_of_the_time_fires_nothing_of_before_it_nor_a_day_twice(
    wakers: Wakers,
) -> None:
    own = await put_daily(wakers, "16:00")
    scenarios = wakers.context.stores.scenarios
    earlier = replace(own, entry=OnDaily(at=time(12, 30)))
    await scenarios.put(earlier, wakers.after(minutes=60))
    await look(wakers)
    assert await made(wakers) == []  # it was 12:30 before the edit
    await scenarios.put(replace(own, entry=OnDaily(at=time(14))), wakers.after(minutes=10))
    wakers.after(minutes=50)
    await look(wakers)
    await scenarios.put(replace(own, entry=OnDaily(at=time(15))), wakers.after(minutes=10))
    wakers.after(minutes=60)
    await look(wakers)
    assert [name for name, _ in await made(wakers)] == [TODAY]


async def test_a_new_name_moves_no_time(wakers: Wakers) -> None:
    own = await put_daily(wakers)
    scenarios = wakers.context.stores.scenarios
    await scenarios.put(replace(own, name="Another"), wakers.after(minutes=61))
    await look(wakers)
    assert [name for name, _ in await made(wakers)] == [TODAY]


async def test_each_offset_that_occurs_has_a_firing(wakers: Wakers) -> None:
    people = {"ann": "Europe/Prague", "bob": "Europe/Berlin", "cid": "Asia/Kathmandu",
              "dan": "Mars/Base", "eve": None}  # fmt: skip
    for name, zone in people.items():
        await wakers.person(name, timeZone=zone)
    await put_daily(wakers, "09:00", "person")
    one = occurrences(wakers)
    for _ in range(24):
        wakers.after(hours=1)
        await look(wakers, one)
    names = [name for name, _ in await made(wakers)]
    assert names == ["2026-11-02+0", "2026-11-02+345", "2026-11-02+60"]


async def test_a_spread_is_fired_in_twelve_slots(wakers: Wakers) -> None:
    own = await put_daily(wakers, spread=60 * MINUTE)
    one = occurrences(wakers)
    times: list[datetime] = []
    for _ in range(25):
        wakers.after(minutes=5)
        before = len(await made(wakers))
        await look(wakers, one)
        times += [wakers.clock()] * (len(await made(wakers)) - before)
    assert times == [START + timedelta(minutes=60 + 5 * n) for n in range(12)]
    assert {name for name, _ in await made(wakers)} == {f"{TODAY}#{n}" for n in range(12)}
    assert own.spread == 60 * MINUTE


@pytest.mark.parametrize("entry", [OnOnce(at=START + timedelta(hours=1)), OnSegment(at=time(13))])
async def test_once_and_segment_come_at_their_time(wakers: Wakers, entry: Any) -> None:
    await put_daily(wakers, entry=entry, condition=LOGIN)
    await look(wakers)
    assert await made(wakers) == []
    wakers.after(hours=1)
    await look(wakers)
    assert len(await made(wakers)) == 1


async def test_old_knowledge_rests_and_is_made_up_for_within_max_late(wakers: Wakers) -> None:
    await put_daily(wakers, id="asks", condition=LOGIN)
    await put_daily(wakers, id="asks-nothing")
    wakers.knowledge.why = "projector_behind"
    one = occurrences(wakers)
    await look(wakers, one)
    assert wakers.knowledge.rests == 0, "it isn't the time"
    wakers.after(hours=1)
    await look(wakers, one)
    assert await made(wakers) == [(TODAY, "open")] and wakers.knowledge.rests
    wakers.knowledge.why = None
    await look(wakers, one)
    assert await made(wakers) == [(TODAY, "open")] * 2


async def test_handed_over_too_late_it_is_never_pushed(wakers: Wakers) -> None:
    await put_daily(wakers)
    wakers.after(hours=1)
    await look(wakers)
    wakers.after(minutes=121)
    await wakers.look()
    assert await made(wakers) == [(TODAY, "late")] and wakers.triggers() == {}


async def test_a_stricter_max_late_reaches_what_is_open(wakers: Wakers) -> None:
    own = await put_daily(wakers)
    wakers.after(hours=1)
    await look(wakers)
    await wakers.context.stores.scenarios.put(replace(own, max_late=5 * MINUTE), wakers.clock())
    wakers.after(minutes=6)
    await wakers.look()
    assert await made(wakers) == [(TODAY, "late")] and wakers.triggers() == {}


@pytest.mark.parametrize("writes", range(1, 4))
async def test_a_waker_that_dies_leaves_it_to_the_next(wakers: Wakers, writes: int) -> None:
    await put_daily(wakers)
    wakers.after(hours=1)
    await look(wakers)
    with suppress(Killed):
        await wakers.look(wakers.waker("dying", Fuse(writes)))
    await look(wakers)
    other = wakers.waker("other")
    await wakers.look(other)
    wakers.after(seconds=MISSED_BEATS)
    await wakers.look(other)
    assert len(wakers.triggers()) == 1 and await made(wakers) == [(TODAY, "handed")]
