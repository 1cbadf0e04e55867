"""Wakers: what is due is fired once, whoever looks, dies or comes back in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sender_service.models.decide.progress import end_run
from sender_service.models.scenario.firing import StepClaim
from sender_service.store.runs import RunStore
from shared.errors import LogUnavailable, StoreUnavailable
from tests.integration.sender.dying_stores import BlockedStore, BlockedWrites, Fuse, Killed
from tests.integration.sender.waker_harness import (
    APP,
    MISSED_BEATS,
    Wakers,
    open_wakers,
    shifted,
)
from tests.unit.sender.scenario_builders import HOUR, MINUTE, after, step

WRITES = ("raise_n", "insert", "claim", "set_claimed", "publish", "set_handed")
PEOPLE = ("ann", "bob", "cid")


@pytest.fixture
async def wakers(mongo_uri: str, tmp_path: Path) -> AsyncIterator[Wakers]:
    async with open_wakers(mongo_uri, tmp_path) as opened:
        yield opened


async def test_people_whose_step_is_due_get_one_trigger(wakers: Wakers) -> None:
    own = await wakers.scenario(step("hour"), step("day", after(1440)))
    await wakers.enter(own, *PEOPLE)
    await wakers.look()
    assert wakers.triggers() == {}, "not before it is due"
    now = wakers.after(minutes=60)
    await wakers.look()
    ((id, trigger),) = wakers.triggers().items()
    assert sorted(one["person"] for one in trigger["recipients"]) == list(PEOPLE)
    assert (trigger["campaign"], trigger["scenario"]["step"]) == ("hour", "hour")
    firing = await wakers.firings.get(id)
    assert firing is not None and (firing.state, firing.expires_at) == ("handed", now + 2 * HOUR)
    run = await wakers.run_of("ann")
    assert [(push.step, push.firing, push.at) for push in run.pushes] == [("hour", id, now)]
    assert (run.step, run.basis, run.due) == ("day", now, now + 24 * HOUR)
    await wakers.look()
    assert len(wakers.triggers()) == 1


async def test_case_9_two_wakers_fire_once(wakers: Wakers) -> None:
    await wakers.enter(await wakers.scenario(), *PEOPLE)
    wakers.after(minutes=60)
    one, two = wakers.waker("one"), wakers.waker("two")
    await asyncio.gather(*(wakers.look(waker, looks=3) for waker in (one, two)))
    assert wakers.pushed() == {name: ["hour"] for name in PEOPLE}


@pytest.mark.parametrize("write", WRITES)
async def test_a_waker_that_dies_after_a_write_is_replaced(wakers: Wakers, write: str) -> None:
    await wakers.enter(await wakers.scenario(), *PEOPLE)
    wakers.after(minutes=60)
    with pytest.raises(Killed):
        await wakers.look(wakers.waker("one", Fuse(1, write)))
    two = wakers.waker("two")
    await wakers.look(two)
    wakers.after(seconds=MISSED_BEATS)
    await wakers.look(two)
    assert wakers.pushed() == {name: ["hour"] for name in PEOPLE}
    assert await wakers.states() == ["handed"]


@pytest.mark.parametrize("write", WRITES)
async def test_race_the_store_is_away_between_two_writes_of_a_firing(
    wakers: Wakers, write: str
) -> None:
    # It was written, but the answer never came; the process lives.
    await wakers.enter(await wakers.scenario(), *PEOPLE)
    wakers.after(minutes=60)
    waker = wakers.waker("one", Fuse(1, write, StoreUnavailable))
    with pytest.raises(StoreUnavailable):
        await wakers.look(waker)
    wakers.after(seconds=5)
    await wakers.look(waker)
    assert wakers.pushed() == {name: ["hour"] for name in PEOPLE}
    assert await wakers.states() == ["handed"]


async def test_nobody_takes_an_app_whose_waker_lives(wakers: Wakers) -> None:
    one, two = wakers.waker("one"), wakers.waker("two")
    own = await wakers.scenario()
    for name in PEOPLE:
        await wakers.enter(own, name)
        wakers.after(minutes=60)
        await wakers.look(one, two)
    assert (await _holder(wakers)) == "one"
    await one.leases.give_up()
    await wakers.enter(own, "dan")
    wakers.after(minutes=60)
    await wakers.look(two, one)
    assert (await _holder(wakers)) == "two", "a clean stop leaves nothing to wait for"


@pytest.mark.parametrize("write", WRITES)
async def test_race_a_suspended_waker_that_comes_back_fires_nothing_again(
    wakers: Wakers, write: str
) -> None:
    await wakers.enter(await wakers.scenario(), *PEOPLE)
    wakers.after(minutes=60)
    still = BlockedWrites(write)
    one = _blocked(wakers, still)
    looking = asyncio.create_task(wakers.look(one))
    await still.reached.wait()
    two = wakers.waker("two")
    await wakers.look(two)
    wakers.after(seconds=MISSED_BEATS)
    await wakers.look(two)
    still.go_on.set()
    await looking
    wakers.after(seconds=MISSED_BEATS)
    await wakers.look(two, one, looks=2)
    assert wakers.pushed() == {name: ["hour"] for name in PEOPLE}
    assert set(await wakers.states()) <= {"handed", "settled"}
    for name in PEOPLE:
        assert len((await wakers.run_of(name)).pushes) == 1


@pytest.mark.parametrize("seconds", [-90.0, 90.0])
async def test_race_clocks_that_differ_by_90_seconds_fire_once(
    wakers: Wakers, seconds: float
) -> None:
    own = await wakers.scenario(step("hour"), step("next", after(60)))
    await wakers.enter(own, *PEOPLE)
    wrong = wakers.waker("two", clock=shifted(wakers.clock, seconds))
    right = wakers.waker("one")
    for turn in range(26):
        await wakers.look(*((wrong, right) if turn % 2 else (right, wrong)))
        if turn % 5 == 4:
            await (wrong if turn % 2 else right).leases.give_up()
        wakers.after(minutes=5)
    assert wakers.pushed() == {name: ["hour", "next"] for name in PEOPLE}


async def test_a_trigger_that_the_log_refused_is_published_later(wakers: Wakers) -> None:
    await wakers.enter(await wakers.scenario(), *PEOPLE)
    wakers.after(minutes=60)
    waker = wakers.waker()
    wakers.log.away = True
    with pytest.raises(LogUnavailable):
        await wakers.look(waker)
    assert await wakers.states() == ["claimed"]
    wakers.log.away = False
    await wakers.look(waker)
    assert wakers.pushed() == {name: ["hour"] for name in PEOPLE}


async def test_a_firing_that_nobody_finished_in_time_is_late(wakers: Wakers) -> None:
    own = await wakers.scenario(step("hour"), step("day", after(1440)))
    await wakers.enter(own, *PEOPLE)
    wakers.after(minutes=60)
    with pytest.raises(Killed):
        await wakers.look(wakers.waker("one", Fuse(1, "claim")))
    two = wakers.waker("two")
    await wakers.look(two)
    wakers.after(hours=3)
    await wakers.look(two)
    assert (await wakers.states(), wakers.triggers()) == (["late"], {})
    run = await wakers.run_of("ann")
    assert ([one.why for one in run.skipped], run.pushes, run.step) == (["late"], (), "day")


async def test_a_stricter_max_late_reaches_a_firing_that_is_open(wakers: Wakers) -> None:
    await wakers.enter(await wakers.scenario(), *PEOPLE)
    wakers.after(minutes=60)
    with pytest.raises(Killed):
        await wakers.look(wakers.waker("one", Fuse(1, "claim")))
    await wakers.scenario(max_late=5 * MINUTE)
    two = wakers.waker("two")
    await wakers.look(two)
    wakers.after(minutes=6)
    await wakers.look(two)
    assert (await wakers.states(), wakers.triggers()) == (["late"], {})


async def test_case_17_a_firing_that_nobody_is_left_in_closes(wakers: Wakers) -> None:
    begun = await wakers.enter(await wakers.scenario(), *PEOPLE)
    now = wakers.after(minutes=60)

    class EndedBefore(RunStore):
        async def claim(self, ids: Any, claim: StepClaim) -> None:
            await self.replace_many([end_run(run, "bought", now) for run in begun])
            await super().claim(ids, claim)

    await wakers.look(wakers.waker(runs=EndedBefore(wakers.context.database)))
    assert (await wakers.states(), wakers.triggers()) == (["settled"], {})
    await wakers.look(looks=2)
    assert len(await wakers.states()) == 1


async def test_race_an_erasure_under_an_open_firing_leaves_the_others(wakers: Wakers) -> None:
    await wakers.enter(await wakers.scenario(), *PEOPLE)
    wakers.after(minutes=60)

    class ErasedBefore(RunStore):
        async def claim(self, ids: Any, claim: StepClaim) -> None:
            await self.delete_person(APP, "bob")
            await super().claim(ids, claim)

    await wakers.look(wakers.waker(runs=ErasedBefore(wakers.context.database)))
    assert wakers.pushed() == {"ann": ["hour"], "cid": ["hour"]}


def _blocked(wakers: Wakers, writes: BlockedWrites) -> Any:
    stores = wakers.context.stores
    waker = wakers.waker(
        "one",
        runs=BlockedStore(stores.runs, writes),
        firings=BlockedStore(stores.firings, writes),
        log=BlockedStore(wakers.log, writes),
    )
    waker.leases.store = BlockedStore(waker.leases.store, writes)  # type: ignore[assignment]
    return waker


async def _holder(wakers: Wakers) -> Any:
    found = await wakers.context.database["wakers"].find_one({"_id": APP})
    return found and found["holder"]
