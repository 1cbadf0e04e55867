"""Versions of scenarios on the database: they expire once replaced, but not before their runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from sender_service.store.scenarios import LONGEST_RUN_WAIT, VERSION_LIFE
from tests.integration.sender.entry_shop import LONG_BEFORE, EntryShop, open_entry_shop
from tests.support.clocks import START
from tests.support.projector_doubles import APP
from tests.unit.sender.scenario_builders import DAY, scenario


@pytest.fixture
async def shop(mongo_uri: str) -> AsyncIterator[EntryShop]:
    async with open_entry_shop(mongo_uri) as opened:
        yield opened


async def expiries(shop: EntryShop) -> dict[int, datetime | None]:
    """Return replaced version → when it expires."""
    found = shop.database["scenario_versions"].find({})
    return {one["version"]: one.get("expireAt") async for one in found}


async def test_a_version_expires_once_it_was_replaced_and_the_present_one_never(
    shop: EntryShop,
) -> None:
    store, one = shop.stores.scenarios, scenario(app=APP)
    await store.put(one, START)
    await store.put(one, START + DAY)  # identical: no version
    assert await expiries(shop) == {}
    await store.put(replace(one, priority=60), START + 2 * DAY)
    assert await expiries(shop) == {1: START + 2 * DAY + VERSION_LIFE}
    await store.delete(APP, "basket", START + 3 * DAY)
    await store.put(one, START + 4 * DAY)  # the same id again
    assert await expiries(shop) == {n: START + (n + 1) * DAY + VERSION_LIFE for n in (1, 2, 3)}, (
        "the third is the deletion"
    )
    (present,) = [each async for each in shop.database["scenarios"].find({})]
    assert present["version"] == 4 and "expireAt" not in present


async def test_a_decision_on_a_run_keeps_its_version(shop: EntryShop) -> None:
    """Wait longer than a version lives: a visit begins a silence anew, each time."""
    await shop.put()
    await shop.put(priority=60)
    ends = LONG_BEFORE + VERSION_LIFE
    for _ in range(3):
        shop.clock.advance(LONGEST_RUN_WAIT.total_seconds())
        now = shop.clock()
        assert (await expiries(shop))[1] == ends and ends > now
        for _ in range(3):  # decisions of one day, by a process that knows the version
            shop.clock.advance(60)
            rules = await shop.rules.load(APP)
            assert rules is not None
            rules = await shop.rules.add_versions(rules, [("basket", 1), ("basket", 2)])
            assert rules.of_version("basket", 1) is not None
        ends = now + timedelta(seconds=60) + VERSION_LIFE
        assert await expiries(shop) == {1: ends}


async def test_a_version_that_expired_is_decided_on_no_more(shop: EntryShop) -> None:
    await shop.put()
    await shop.put(priority=60)
    rules = await shop.rules.load(APP)
    assert rules is not None
    rules = await shop.rules.add_versions(rules, [("basket", 1)])
    await shop.database["scenario_versions"].delete_many({})
    shop.clock.advance(2 * DAY.total_seconds())
    rules = await shop.rules.load(APP)
    assert rules is not None
    rules = await shop.rules.add_versions(rules, [("basket", 1)])
    assert rules.of_version("basket", 1) is None


async def test_older_versions_are_listed_behind_those_that_expired(shop: EntryShop) -> None:
    store = shop.stores.scenarios
    for priority in range(1, 8):
        await store.put(scenario(app=APP, priority=priority), START)
    gone = {"version": {"$in": [1, 3, 4, 5, 6]}}
    await shop.database["scenario_versions"].delete_many(gone)
    listed = await store.list_versions(APP, "basket", None, 2)
    assert [one.version for one in listed] == [7]
    listed = await store.list_versions(APP, "basket", 7, 2)
    assert [one.version for one in listed] == [2]
    assert await store.list_versions(APP, "basket", 2, 2) == []
