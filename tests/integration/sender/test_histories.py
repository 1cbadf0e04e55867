"""Histories of a sample of an app's people, on a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from sender_service.store import histories as stored
from sender_service.store.histories import HistoryStore, place_of
from tests.integration.sender.shop_events import basket
from tests.integration.sender.simulated_shop import SimulatedShop, open_simulated_shop
from tests.support.clocks import START
from tests.support.ops_events import erasure


@pytest.fixture
async def shop(mongo_uri: str, tmp_path: Path) -> AsyncIterator[SimulatedShop]:
    async with open_simulated_shop(mongo_uri, tmp_path) as opened:
        yield opened


async def test_histories_are_kept_of_a_sample_that_never_grows_too_large(
    shop: SimulatedShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "MAX_PERSONS", 20)
    monkeypatch.setattr("sender_service.scenarios.history_keeper.COUNTED_AFTER", 4)
    histories = shop.context.stores.histories
    for n in range(40):
        await shop.happen(basket(f"visitor-{n}", n))
        assert await histories.count("demo") <= 20
    share = await histories.share("demo")
    born = [shop.shop.born(f"visitor-{n}") for n in range(40)]
    assert share < 1
    assert await histories.persons("demo", share) == sorted(
        one for one in born if place_of("demo", one) < share
    )


async def test_moments_that_are_read_again_add_nothing(shop: SimulatedShop) -> None:
    moments = await shop.shop.project(basket("phone", 1))
    await shop.shop.enter(entries=shop.entries)
    shop.wakers.after(minutes=5)
    await shop.shop.enter(*moments, entries=shop.entries)
    histories = shop.context.stores.histories
    (history,) = [
        one async for one in histories.read([shop.shop.born("phone")], shop.wakers.clock())
    ]
    assert [(heard.at, heard.moment) for heard in history.moments] == [
        (START + timedelta(seconds=1), moments[0])
    ]


async def test_a_history_that_another_process_begins_meanwhile_goes_on(
    shop: SimulatedShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def know_nobody(_: HistoryStore, __: Sequence[str]) -> set[str]:
        return set()

    monkeypatch.setattr(HistoryStore, "_known", know_nobody)
    histories = shop.context.stores.histories
    first = await shop.shop.project(basket("phone", 1))
    then = await shop.shop.project(basket("phone", 2, "cup"), basket("pad", 3))
    assert await histories.add("demo", first, START) == 1
    assert await histories.add("demo", then, START) == 1, "only the pad's is new"
    phone, pad = shop.shop.born("phone"), shop.shop.born("pad")
    read = histories.read([phone, pad], shop.wakers.clock())
    assert {one.person: len(one.moments) async for one in read} == {phone: 2, pad: 1}


async def test_erasure_ends_a_history_and_a_return_begins_one(shop: SimulatedShop) -> None:
    histories, phone = shop.context.stores.histories, shop.shop.born("phone")
    await shop.happen(basket("phone", 1))
    await shop.happen(erasure("phone", 2, phone))
    assert await histories.persons("demo", 1.0) == []
    await shop.happen(basket("phone", 3, "cup"))
    assert len(await histories.persons("demo", 1.0)) == 1


async def test_old_moments_go(shop: SimulatedShop) -> None:
    histories, clock = shop.context.stores.histories, shop.wakers.clock
    await shop.happen(basket("phone", 1))
    shop.wakers.after(days=31)
    await shop.happen(basket("phone", 31 * 86_400 + 2, "cup"))
    await shop.simulator().clean()
    documents = shop.context.database["histories"].find({})
    assert [len(one["moments"]) async for one in documents] == [1]
    assert [
        len(one.moments) async for one in histories.read([shop.shop.born("phone")], clock())
    ] == [1]
