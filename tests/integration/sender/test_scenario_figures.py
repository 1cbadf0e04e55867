"""Figures of scenarios on the database: what lately fired is counted there, whatever its number."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from sender_service.models.scenario.firing import Firing
from sender_service.store.scenario_figures import Fired
from sender_service.store.scenario_stores import ScenarioStores
from shared.mongo.client import Collection, Document
from shared.mongo.whole_reads import aggregate_all, read_all
from tests.integration.sender.scenario_stores import firing, open_stores
from tests.support.clocks import START
from tests.unit.sender.scenario_builders import DAY, HOUR, MINUTE

SECOND = timedelta(seconds=1)
YESTERDAY, TODAY = START - DAY, START - 2 * HOUR


@pytest.fixture(params=["motor", "pymongo"])
async def stores(request: pytest.FixtureRequest, mongo_uri: str) -> AsyncIterator[ScenarioStores]:
    async with open_stores(mongo_uri, request.param) as opened:
        yield opened


async def close(stores: ScenarioStores, n: int, counts: dict[str, int], **fields: Any) -> Firing:
    one = firing(n, **fields)
    await stores.firings.insert(one)
    await stores.firings.close(one.id, counts)
    return one


async def figures_of(stores: ScenarioStores) -> Fired:
    return await stores.scenario_figures.fired("demo", "basket", YESTERDAY, TODAY)


async def test_what_was_sent_today_is_counted_and_the_newest_trouble_found(
    stores: ScenarioStores,
) -> None:
    assert await figures_of(stores) == Fired(0, None)
    await close(stores, 1, {"sent": 5, "capped": 2}, due_at=TODAY)
    await close(stores, 2, {"sent": 7, "again": 90, "if": 3}, due_at=START)  # by the clock
    await close(stores, 3, {"sent": 100, "rejected": 2}, due_at=TODAY - SECOND)
    await close(stores, 4, {"rejected": 9}, due_at=YESTERDAY - SECOND)
    await close(stores, 5, {"rejected": 9, "sent": 50}, due_at=START, scenario="other")
    await stores.firings.insert(firing(6, due_at=START))  # is open still
    found = await figures_of(stores)
    assert found.sent == 12
    assert found.trouble is not None and found.trouble.firing.due_at == TODAY - SECOND
    assert (found.trouble.why, found.trouble.people) == ("rejected", 2)
    bad = {"campaign_disabled": 3, "rejected": 1, "sent": 1}
    both = [await close(stores, n, bad, due_at=TODAY + MINUTE) for n in (7, 8)]
    found = await figures_of(stores)
    assert found.sent == 14 and found.trouble is not None
    assert found.trouble.firing.id == max(one.id for one in both)
    assert (found.trouble.why, found.trouble.people) == ("campaign_disabled", 3)
    late = firing(9, due_at=START)
    await stores.firings.insert(late)
    await stores.firings.set_late(late.id)
    found = await figures_of(stores)
    assert found.trouble is not None and found.trouble.firing.id == late.id
    assert (found.trouble.why, found.trouble.people) == ("late", None)


async def test_no_more_are_read_where_more_fired(
    stores: ScenarioStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Document] = []

    async def aggregate(collection: Collection, stages: Sequence[Document]) -> list[Document]:
        read.extend(found := await aggregate_all(collection, stages))
        return found

    async def find(
        collection: Collection, query: Document, fields: Document | None = None
    ) -> list[Document]:
        read.extend(found := await read_all(collection, query, fields))
        return found

    monkeypatch.setattr("sender_service.store.scenario_figures.aggregate_all", aggregate)
    monkeypatch.setattr("sender_service.store.scenario_figures.read_all", find)
    for n in range(30):
        await close(stores, n, {"sent": 1, "rejected": 1}, due_at=START - n * SECOND)
    found = await figures_of(stores)
    assert (found.sent, len(read)) == (30, 2)
