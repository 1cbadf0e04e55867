"""Backfill on a real database: who enters, and nobody twice; crashes, edits, and live entries meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from sender_service.scenarios.backfilling import MAX_TIME
from sender_service.scenarios.tasks import LEFT_SECONDS
from shared.errors import Conflict, LogUnavailable, StoreUnavailable
from tests.integration.sender.backfilled_shop import (
    TOMORROW,
    Hook,
    MeanwhileRuns,
    ReadLog,
    backfill,
    backfiller,
    begin,
    get,
    look,
)
from tests.integration.sender.entry_shop import EntryShop, open_entry_shop
from tests.integration.sender.shop_events import basket, login, purchase
from tests.integration.sender.waker_harness import StillComponent
from tests.support.clocks import START
from tests.support.ops_events import erasure
from tests.unit.sender.scenario_builders import HOUR


@pytest.fixture
async def shop(mongo_uri: str) -> AsyncIterator[EntryShop]:
    """Three people filled their baskets an hour before the scenario is on."""
    async with open_entry_shop(mongo_uri) as opened:
        for n, visitor in enumerate(("ann", "bea", "eva")):
            await opened.project(basket(visitor, n + 1))
        opened.clock.advance(3_600)
        yield opened


def raising(error: BaseException) -> Hook:
    async def fail() -> None:
        raise error

    return fail


async def waiting(shop: EntryShop) -> list[str]:
    """Return the persons of waiting runs, one for each run."""
    return sorted(run.person for run in await shop.runs() if run.ended is None)


async def test_who_came_before_the_scenario_was_on_enters_once(shop: EntryShop) -> None:
    await shop.project(purchase("eva", 60))
    scenario = await shop.put(since=shop.clock(), **TOMORROW)
    log = ReadLog([*shop.log, *shop.log], known_since=START)
    done = await backfill(shop, scenario, log)
    assert (done.state, done.counts.entered, done.known_since) == ("done", 2, START)
    assert done.counts.refused == {"bought": 2, "repeat": 2}
    dues = {run.person: run.due for run in await shop.runs()}
    assert dues.keys() == {shop.born("ann"), shop.born("bea")}
    assert min(dues.values()) > START + 24 * HOUR
    again = await backfill(shop, scenario, log)
    assert (again.n, again.counts.entered, len(await shop.runs())) == (2, 0, 2)


async def test_conditions_and_the_time_between_entries_count(shop: EntryShop) -> None:
    dear = {**TOMORROW, "if": {"basket": {"total": {"atLeast": 21}}}}
    done = await backfill(shop, await shop.put(since=shop.clock(), **dear), ReadLog(shop.log))
    assert (done.counts.entered, done.counts.refused) == (0, {"if": 3})
    short = await shop.put("short", since=shop.clock())  # its hour is over
    done = await backfill(shop, short, ReadLog(shop.log))
    assert (done.counts.entered, done.counts.refused) == (0, {"over": 3})
    other = await backfill(shop, short, ReadLog([]))
    assert (other.state, other.counts.moments, other.reached) == ("done", 0, None)


async def test_nobody_enters_twice_while_live_entries_go_on(shop: EntryShop) -> None:
    scenario, log = await shop.put(since=shop.clock(), **TOMORROW), ReadLog(list(shop.log))
    shop.log.clear()

    async def live() -> None:
        await shop.happen(basket("ann", 3_700, "cup"), basket("bea", 3_701, "cup"))

    await begin(shop, scenario)
    await look(backfiller(shop, log, runs=MeanwhileRuns(shop, live)))
    done = await get(shop)
    assert await waiting(shop) == sorted(map(shop.born, ("ann", "bea", "eva")))
    assert (done.counts.entered, done.counts.refused) == (1, {"repeat": 1})
    await shop.happen(basket("eva", 3_800, "cup"))
    assert len(await shop.runs()) == 3, "she waits already"


async def test_erased_and_merged_people(shop: EntryShop) -> None:
    await shop.project(login("bea", 30, "bea"))
    scenario, log = await shop.put(since=shop.clock(), **TOMORROW), ReadLog(list(shop.log))

    async def erase() -> None:
        await shop.happen(erasure("eva", 3_700, shop.born("eva")))

    log.before = {2: erase}
    done = await backfill(shop, scenario, log)
    assert done.counts.refused == {"gone": 1}
    assert await waiting(shop) == sorted([shop.born("ann"), shop.login("bea")])


async def test_erasure_between_look_and_write_leaves_no_run(shop: EntryShop) -> None:
    scenario, log = await shop.put(since=shop.clock(), **TOMORROW), ReadLog(list(shop.log))

    async def erase() -> None:
        await shop.happen(erasure("ann", 3_700, shop.born("ann")))

    await begin(shop, scenario)
    await look(backfiller(shop, log, runs=MeanwhileRuns(shop, erase)))
    assert await waiting(shop) == sorted(map(shop.born, ("bea", "eva")))
    assert (await get(shop)).counts.entered == 2


async def test_edit_ends_it_and_so_does_switching_off(shop: EntryShop) -> None:
    scenario = await shop.put(since=shop.clock(), **TOMORROW)

    async def edit() -> None:
        await shop.put(since=shop.clock(), **TOMORROW, name="Other")

    failed = await backfill(shop, scenario, ReadLog(shop.log, before={1: edit}))
    assert (failed.state, failed.fault, failed.counts.entered) == ("failed", "changed", 1)
    off = await shop.put(since=shop.clock(), **TOMORROW, enabled=False)
    assert (await backfill(shop, off, ReadLog(shop.log))).fault == "changed"
    await shop.stores.scenarios.delete("demo", "basket", shop.clock())
    assert (await backfill(shop, off, ReadLog([]))).fault == "changed"
    assert len(await waiting(shop)) == 1


async def test_one_at_a_time_an_app(shop: EntryShop) -> None:
    scenario = await shop.put(since=shop.clock(), **TOMORROW)
    begun = await asyncio.gather(*(begin(shop, scenario) for _ in range(3)), return_exceptions=True)
    assert sum(isinstance(one, Conflict) for one in begun) == 2
    with pytest.raises(Conflict) as refused:
        await begin(shop, scenario)
    assert refused.value.code == "already_running" and "backfill" in str(refused.value)
    await look(backfiller(shop, ReadLog([])))
    assert (await begin(shop, scenario)).n == 2


async def test_another_process_goes_on_where_one_died(shop: EntryShop) -> None:
    scenario = await shop.put(since=shop.clock(), **TOMORROW)

    async def pass_time() -> None:
        shop.clock.advance(4)  # so that the progress is written

    dying = ReadLog(shop.log, before={1: pass_time, 2: raising(asyncio.CancelledError())})
    await begin(shop, scenario)
    with pytest.raises(asyncio.CancelledError):
        await look(backfiller(shop, dying, "dead"))
    other = ReadLog(shop.log)
    process = backfiller(shop, other, "other")
    await look(process)
    assert (await get(shop)).state == "running", "its process may be alive"
    shop.clock.advance(LEFT_SECONDS + 1)
    await look(process)
    done = await get(shop)
    assert (done.state, done.tries, other.reads) == ("done", 2, [shop.log[1].facts[0].at])
    assert done.counts.entered + done.counts.refused["repeat"] == 4
    assert len(await waiting(shop)) == 3
    await look(backfiller(shop, dying, "dead"))  # it's over


async def test_process_that_was_thought_dead_stops(shop: EntryShop) -> None:
    scenario = await shop.put(since=shop.clock(), **TOMORROW)
    other = backfiller(shop, ReadLog(shop.log), "other")
    await begin(shop, scenario)

    async def take_over() -> None:
        await look(other)
        shop.clock.advance(LEFT_SECONDS + 1)
        await look(other)

    await look(backfiller(shop, ReadLog(shop.log, before={2: take_over}), "frozen"))
    done = await get(shop)
    assert (done.state, done.holder, len(await waiting(shop))) == ("done", "other", 3)


async def test_broker_that_is_away_is_waited_for_within_bounds(shop: EntryShop) -> None:
    scenario = await shop.put(since=shop.clock(), **TOMORROW)
    log = ReadLog(shop.log, before={1: raising(LogUnavailable("away"))})
    await begin(shop, scenario)
    for _ in range(5):
        with pytest.raises(LogUnavailable):
            await look(backfiller(shop, log))
    left = await get(shop)
    assert (left.state, left.tries, left.counts.entered) == ("waiting", 0, 1)
    log.before = {}
    await look(backfiller(shop, log))
    assert ((await get(shop)).state, len(await waiting(shop))) == ("done", 3)
    await begin(shop, scenario)
    shop.clock.advance(MAX_TIME.total_seconds() + 1)
    await look(backfiller(shop, log))
    assert (await get(shop, 2)).fault == "too_long"


async def test_database_that_fails_each_time_and_errors_end_it(shop: EntryShop) -> None:
    scenario = await shop.put(since=shop.clock(), **TOMORROW)
    await begin(shop, scenario)
    away = ReadLog(shop.log, before={0: raising(StoreUnavailable("away"))})
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            await look(backfiller(shop, away))
    await look(backfiller(shop, away))
    assert (await get(shop)).fault == "interrupted"
    bug = ReadLog(shop.log, before={0: raising(KeyError("bug"))})
    assert (await backfill(shop, scenario, bug)).fault == "faulty"


async def test_process_that_stops_gives_it_back(shop: EntryShop) -> None:
    scenario, stop = await shop.put(since=shop.clock(), **TOMORROW), asyncio.Event()

    class Stopping(StillComponent):
        def beat(self) -> None:
            stop.set()

    await begin(shop, scenario)
    await backfiller(shop, ReadLog(shop.log)).look(cast(Any, Stopping()), stop)
    assert ((await get(shop)).state, (await get(shop)).tries) == ("waiting", 0)
    await look(backfiller(shop, ReadLog(shop.log), "other"))
    assert ((await get(shop)).state, len(await waiting(shop))) == ("done", 3)
