"""Backfills and simulations that no process works on: they give way to the next."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from sender_service.models.scenario.simulation import Simulation
from sender_service.models.scenario.task import MAX_AGE, UNTAKEN
from shared.errors import Conflict
from tests.integration.sender.backfilled_shop import (
    TOMORROW,
    ReadLog,
    backfiller,
    begin,
    get,
    look,
)
from tests.integration.sender.entry_shop import EntryShop, open_entry_shop
from tests.unit.sender.scenario_builders import HOUR


@pytest.fixture
async def shop(mongo_uri: str) -> AsyncIterator[EntryShop]:
    async with open_entry_shop(mongo_uri) as opened:
        yield opened


async def test_one_that_no_process_takes_gives_way_to_another(shop: EntryShop) -> None:
    scenario = await shop.put(since=shop.clock(), **TOMORROW)
    await begin(shop, scenario)
    shop.clock.advance(UNTAKEN.total_seconds() - 1)
    with pytest.raises(Conflict) as refused:
        await begin(shop, scenario)
    assert refused.value.code == "already_running"
    assert "waits for a sender with the role scenarios" in str(refused.value)
    shop.clock.advance(1)
    both = await asyncio.gather(*(begin(shop, scenario) for _ in range(2)), return_exceptions=True)
    assert sorted(isinstance(one, Conflict) for one in both) == [False, True]
    left = await get(shop)
    assert (left.state, left.fault, left.finished_at) == ("failed", "left", shop.clock())
    await look(backfiller(shop, ReadLog([])))
    assert (await get(shop)).state == "failed" and (await get(shop, 2)).state == "done"


async def test_one_whose_process_died_for_good_gives_way_later(shop: EntryShop) -> None:
    scenario = await shop.put(since=shop.clock(), **TOMORROW)
    taken = replace(await begin(shop, scenario), state="running", holder="dead", tries=1)
    assert await shop.stores.backfills.replace(taken) is not None
    for seconds in (UNTAKEN.total_seconds(), (MAX_AGE - UNTAKEN).total_seconds() - 1):
        shop.clock.advance(seconds)
        with pytest.raises(Conflict):  # a process may have come after it
            await begin(shop, scenario)
    shop.clock.advance(1)
    assert (await begin(shop, scenario)).n == 2
    assert (await get(shop)).fault == "left"


async def test_so_does_a_simulation(shop: EntryShop) -> None:
    now, draft = shop.clock(), await shop.put(since=shop.clock(), **TOMORROW)
    asked = Simulation(app="demo", draft=draft, since=now - 24 * HOUR, until=now)
    await shop.stores.simulations.begin(asked)
    with pytest.raises(Conflict) as refused:
        await shop.stores.simulations.begin(asked)
    assert "a simulation of this app" in str(refused.value)
    again = await shop.stores.simulations.begin(replace(asked, until=now + UNTAKEN))
    assert again.n == 2
