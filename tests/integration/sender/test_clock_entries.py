"""Entries by the clock: decided while its send is planned. Numbers are the design's cases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from sender_service.models.scenario.scenario import SPREAD_SLOTS
from sender_service.scenarios.closing import FiringCloser
from sender_service.scenarios.lease import Leases
from tests.integration.sender.clock_shop import SECOND, TEA, ClockShop, today
from tests.integration.sender.dying_stores import Killed
from tests.integration.sender.pipeline import open_line

DAY = 86_400.0


@pytest.fixture
async def shop(mongo_uri: str, tmp_path: Path) -> AsyncIterator[ClockShop]:
    async with open_line(mongo_uri, tmp_path) as line:
        shop = ClockShop(line)
        await shop.campaign()
        yield shop


async def _planned(shop: ClockShop, own: Any, **occurrence: Any) -> str:
    firing = await shop.fire(own, **occurrence)
    await shop.line.plan()
    return firing


async def _sent(shop: ClockShop, firing: str) -> int:
    await shop.line.work()
    account = await shop.line.account_of(firing)
    assert account["state"] == "done", account
    return int(account["sent"])


async def test_all_enter_and_their_runs_are_over_with_the_last_step(shop: ClockShop) -> None:
    await shop.people(25)
    firing = await _planned(shop, await shop.put())
    runs = await shop.all_runs()
    assert len(runs) == 25 and await shop.counts(firing) == {}
    for run in runs:
        assert run.ended is not None and run.ended.why == "done"
        assert [push.firing for push in run.pushes] == [firing]
    assert await _sent(shop, firing) == 25


async def test_case_27_28_again_holds_over_the_segment_and_ends(shop: ClockShop) -> None:
    await shop.people(3)
    own = await shop.put()
    await _planned(shop, own)
    shop.line.world.clock.advance(6 * DAY)
    second = await _planned(shop, own)
    assert await shop.counts(second) == {"again": 3} and await shop.audience(second) == []
    shop.line.world.clock.advance(DAY)
    third = await _planned(shop, own)
    assert len(await shop.audience(third)) == 3
    assert [run.n for run in await shop.all_runs()] == [1, 2, 1, 2, 1, 2]


async def test_without_again_and_further_steps_no_run_is_written(shop: ClockShop) -> None:
    await shop.people(2)
    own = await shop.put(again={"days": 0})
    for _ in range(2):
        firing = await _planned(shop, own)
        assert await shop.all_runs() == []
        assert await _sent(shop, firing) == 2  # the look before the release needs none either
        shop.line.world.clock.advance(DAY)


async def test_further_steps_wait_in_runs(shop: ClockShop) -> None:
    await shop.people(1)
    firing = await _planned(shop, await shop.put(steps=[_first(), SECOND]))
    run = await shop.run_of("p0")
    assert (run.step, run.ended) == ("second", None)
    assert run.due == shop.now() + timedelta(days=1)
    assert [push.firing for push in run.pushes] == [firing]


async def test_a_first_step_that_waits_is_begun_and_not_pushed(shop: ClockShop) -> None:
    await shop.people(2)
    own = await shop.put(steps=[_first(after={"minutes": 30})])
    firing = await _planned(shop, own)
    assert await shop.audience(firing) == [] and await shop.counts(firing) == {"entered": 2}
    run = await shop.run_of("p0")
    assert (run.step, run.due) == ("first", shop.now() + timedelta(minutes=30))
    assert not run.pushes and await _sent(shop, firing) == 0


async def test_who_is_refused_is_counted_and_in_no_page(shop: ClockShop) -> None:
    await shop.people(2)
    await shop.people(1, basket={**TEA, "at": shop.now(), "since": shop.now()})
    own = await shop.put(steps=[_first(only={"basket": {}})])
    firing = await _planned(shop, own)
    assert await shop.counts(firing) == {"only": 2}
    assert await shop.audience(firing) == ["p2"]


async def test_only_her_own_offset_pushes_a_person(shop: ClockShop) -> None:
    for zone in ("Europe/Prague", "Asia/Kathmandu", None, "Mars/Base"):
        await shop.people(1, timeZone=zone)
    own = await shop.put(enter={"on": "daily", "at": "12:00", "zone": "person"})
    noon = shop.now().replace(hour=12, minute=0, second=0, microsecond=0)
    for hours, people in ((0, ["p2", "p3"]), (-1, ["p0"]), (-5.75, ["p1"])):
        at = noon + timedelta(hours=hours)
        firing = await _planned(shop, own, name=f"{hours}", at=at, due=at, day=today(shop))
        assert await shop.audience(firing) == people and await shop.counts(firing) == {}


async def test_the_slots_of_a_spread_push_each_person_once(shop: ClockShop) -> None:
    await shop.people(40)
    own = await shop.put(spread=60)
    at, reached = shop.now(), []
    for slot in range(SPREAD_SLOTS):
        due = at + slot * timedelta(minutes=5)
        firing = await _planned(shop, own, name=f"#{slot}", at=at, due=due, slot=slot)
        assert await shop.counts(firing) == {}
        reached += await shop.audience(firing)
    assert sorted(reached) == sorted(f"p{n}" for n in range(40))


async def test_a_firing_that_was_late_enters_nobody(shop: ClockShop) -> None:
    await shop.people(2)
    firing = await shop.fire(await shop.put())
    late: dict[str, Any] = {"$set": {"state": "late"}}
    await shop.line.world.database["firings"].update_one({"_id": firing}, late)
    await shop.line.plan()
    assert await shop.audience(firing) == [] and await shop.all_runs() == []


async def test_held_out_people_enter_as_the_others_do(shop: ClockShop) -> None:
    await shop.people(30)
    await shop.campaign(holdout=0.5)
    firing = await _planned(shop, await shop.put())
    assert len(await shop.all_runs()) == 30
    assert 0 < await _sent(shop, firing) < 30


@pytest.mark.parametrize("steps", [["first"], ["first", "second"]])
@pytest.mark.parametrize("pages", [1, 2])
async def test_a_planner_that_dies_before_a_page_begins_no_run_twice(
    shop: ClockShop, steps: list[str], pages: int
) -> None:
    await shop.people(25)
    own = await shop.put(steps=[_first(), SECOND][: len(steps)])
    shop.die_after_runs(pages)
    firing = await shop.fire(own)
    with pytest.raises(Killed):
        await shop.line.plan()
    assert len(await shop.all_runs()) > len(await shop.audience(firing))
    shop.live_on()
    await shop.line.plan()
    runs = await shop.all_runs()
    assert [(run.n, len(run.pushes)) for run in runs] == [(1, 1)] * 25
    assert await shop.audience(firing) == sorted(f"p{n}" for n in range(25))
    assert await shop.counts(firing) == {} and await _sent(shop, firing) == 25


async def test_refused_people_are_counted_once_though_the_planner_dies(shop: ClockShop) -> None:
    await shop.people(15, basket={**TEA, "at": shop.now(), "since": shop.now()})
    await shop.people(15)
    own = await shop.put(steps=[_first(only={"basket": {}})])
    shop.die_after_runs(2)
    firing = await shop.fire(own)
    with pytest.raises(Killed):
        await shop.line.plan()
    shop.live_on()
    await shop.line.plan()
    assert await shop.counts(firing) == {"only": 15} and len(await shop.audience(firing)) == 15


async def test_what_was_not_sent_is_given_back_and_counted(shop: ClockShop) -> None:
    await shop.people(3, basket={**TEA, "at": shop.now(), "since": shop.now()})
    await shop.people(2)
    own = await shop.put(steps=[_first(only={"basket": {}}), SECOND])
    firing = await _planned(shop, own)
    empty = {"items": [], "total": 0, "currency": None, "at": shop.now(), "since": shop.now()}
    change = {"basket": empty, "changedAt": shop.now()}
    await shop.line.world.database["profiles"].update_one({"_id": "p0"}, {"$set": change})
    assert await _sent(shop, firing) == 2
    await shop.close()
    found = await shop.line.world.stores.firings.get(firing)
    assert found is not None and found.state == "settled"
    assert found.counts == {"sent": 2, "exited": 1, "only": 2}
    run, other = await shop.run_of("p0"), await shop.run_of("p1")
    assert (run.pushes, [one.why for one in run.skipped], run.step) == ((), ["exited"], "second")
    assert len(other.pushes) == 1


async def test_a_push_whose_page_never_came_is_given_back(shop: ClockShop) -> None:
    await shop.people(25)
    own = await shop.put()
    shop.die_after_runs(2)
    firing = await shop.fire(own)
    with pytest.raises(Killed):
        await shop.line.plan()
    begun, planned = len(await shop.all_runs()), len(await shop.audience(firing))
    await shop.line.ops("POST", f"/v1/sends/{firing}/cancel")
    shop.live_on()
    await shop.line.plan()
    await shop.line.work()
    await shop.close()
    runs = await shop.all_runs()
    assert begun > planned > 0 and len(runs) == begun
    assert not any(run.pushes for run in runs)


async def test_a_large_send_is_closed_a_piece_a_turn(shop: ClockShop) -> None:
    await shop.people(25, basket={**TEA, "at": shop.now(), "since": shop.now()})
    own = await shop.put(steps=[_first(only={"basket": {}}), SECOND])
    firing = await _planned(shop, own)
    await shop.line.world.database["profiles"].update_many({}, {"$set": {"basket.items": []}})
    assert await _sent(shop, firing) == 0
    world = shop.line.world
    lease = await Leases(world.stores.wakers, "waker", world.clock.monotonic).take("demo")
    closer = FiringCloser.of(world.stores, world.clock, count().__next__)  # each piece takes long
    assert lease is not None
    lease, turns = replace(lease, is_new=False), 0
    while await closer.close(lease, await world.stores.firings.under_way("demo")):
        turns += 1
        found = await world.stores.firings.get(firing)
        assert found is not None and (turns > 1 or found.state == "handed")
        world.clock.advance(14)  # other apps; the lease lives on
        await lease.keep()
    assert turns >= 2
    found = await world.stores.firings.get(firing)
    assert found is not None and found.state == "settled" and found.counts == {"exited": 25}
    assert not any(run.pushes for run in await shop.all_runs())


def _first(**fields: Any) -> dict[str, Any]:
    return {"id": "first", "campaign": "welcome", **fields}
