"""Backfill by moments of the log: the real projector's, on a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import orjson
import pytest

from sender_service.models.scenario.scenario import Scenario
from sender_service.scenarios.backfilling import BackfillCounts, Backfiller
from sender_service.scenarios.run_writes import RunWrites
from shared.kafka.records import Record
from shared.kafka.topics import MOMENTS_TOPIC
from shared.models.person_moment import PersonMoment
from tests.integration.sender.entry_shop import EntryShop, open_entry_shop
from tests.integration.sender.shop_events import basket, purchase
from tests.support.clocks import START

HOUR = timedelta(hours=1)
TOMORROW = {"steps": [{"id": "day", "campaign": "basket-1", "after": {"minutes": 1440}}]}


@pytest.fixture
async def shop(mongo_uri: str) -> AsyncIterator[EntryShop]:
    async with open_entry_shop(mongo_uri) as opened:
        yield opened


def record(moment: PersonMoment) -> Record:
    value = orjson.dumps(moment.model_dump(mode="json", by_alias=True, exclude_none=True))
    return Record(MOMENTS_TOPIC.name, 0, 0, moment.person.encode(), value, "", 0)


async def backfill(
    shop: EntryShop, scenario: Scenario, moments: Sequence[PersonMoment]
) -> BackfillCounts:
    async def batches() -> AsyncIterator[list[Record]]:
        yield [record(one) for one in moments]
        yield [record(one) for one in moments]  # the same again

    its = shop.stores
    writes = RunWrites(its.runs, its.people, its.erasures)
    worker = Backfiller(shop.loader, shop.rules, writes, shop.clock)
    return await worker.run(scenario, HOUR, batches())


async def test_who_came_before_the_scenario_was_on_enters_once(shop: EntryShop) -> None:
    for n, visitor in enumerate(("ann", "bea", "eva")):
        await shop.project(basket(visitor, n + 1))
    await shop.project(purchase("eva", 60))
    shop.clock.advance(3_600)
    scenario = await shop.put(since=shop.clock(), **TOMORROW)
    counts = await backfill(shop, scenario, shop.log)
    assert (counts.entered, counts.refused["bought"]) == (2, 2)
    waiting = {run.person: run.due for run in await shop.runs()}
    assert waiting.keys() == {shop.born("ann"), shop.born("bea")}
    assert min(waiting.values()) > START + 24 * HOUR


async def test_nobody_enters_one_that_is_off_or_was_edited(shop: EntryShop) -> None:
    await shop.project(basket("ann", 1))
    scenario = await shop.put(since=shop.clock(), **TOMORROW)
    await shop.put(since=shop.clock(), **TOMORROW, name="Other")
    assert (await backfill(shop, scenario, shop.log)).entered == 0
    off = await shop.put(since=shop.clock(), **TOMORROW, enabled=False)
    assert (await backfill(shop, off, shop.log)).entered == 0
