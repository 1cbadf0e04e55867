"""Firings and leases on the database: each state is left once, and one process has an app."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from sender_service.models.scenario.firing import Member
from sender_service.store.firings import FiringHead, FiringStore
from sender_service.store.scenario_erasure import ScenarioErasure
from sender_service.store.scenario_stores import ScenarioStores
from sender_service.store.wakers import BEAT_SECONDS, WakerStore
from tests.integration.sender.scenario_stores import firing, open_stores, run
from tests.support.clocks import START
from tests.unit.sender.scenario_builders import DAY, HOUR, MINUTE


@pytest.fixture(params=["motor", "pymongo"])
async def stores(request: pytest.FixtureRequest, mongo_uri: str) -> AsyncIterator[ScenarioStores]:
    async with open_stores(mongo_uri, request.param) as opened:
        yield opened


@pytest.fixture
def firings(stores: ScenarioStores) -> FiringStore:
    return stores.firings


async def test_a_firing_is_read_as_it_was_written(firings: FiringStore) -> None:
    made = firing(1, run(0), run(1))
    segment = firing(2, segment={"known": "login"}, counts={"only": 3})
    assert await firings.insert(made) and await firings.insert(segment)
    assert not await firings.insert(replace(made, step="another")), "twice"
    assert await firings.get(made.id) == made
    assert await firings.get(segment.id) == segment
    assert await firings.get("absent") is None


async def test_each_state_is_left_once(firings: FiringStore) -> None:
    made = firing(1, run(0), run(1), run(2))
    await firings.insert(made)
    members = [made.members[2], made.members[0], Member(run="absent", person="p")]
    assert await firings.set_claimed(made.id, members)
    assert not await firings.set_claimed(made.id, made.members), "once, from open"
    chosen = replace(made, state="claimed", members=(made.members[0], made.members[2]))
    assert await firings.get(made.id) == chosen
    assert await firings.unfinished("demo") == [chosen]
    assert await firings.under_way("demo") == [FiringHead(made.id, "claimed", made.expires_at)]
    assert await firings.set_handed(made.id) and not await firings.set_handed(made.id)
    assert not await firings.set_claimed(made.id, made.members)
    assert not await firings.set_late(made.id), "its send is on its way"
    handed = replace(chosen, state="handed")
    assert await firings.under_way("demo") == [FiringHead(made.id, "handed", made.expires_at)]
    assert await firings.unfinished("demo") == [] and await firings.get(made.id) == handed
    assert await firings.close(made.id, {"sent": 2}) and not await firings.close(made.id, {})
    assert await firings.get(made.id) == replace(handed, state="settled", counts={"sent": 2})
    assert await firings.under_way("demo") == []


async def test_a_firing_nobody_is_left_in_is_closed(firings: FiringStore) -> None:
    made, late = firing(1, run(0)), firing(2, run(1))
    for one in (made, late):
        await firings.insert(one)
    assert await firings.set_claimed(made.id, [])
    stored = await firings.get(made.id)
    assert stored is not None and stored.members == ()
    assert await firings.close(made.id, {})
    assert await firings.set_late(late.id) and not await firings.set_handed(late.id)
    assert await firings.unfinished("demo") == []
    assert not await firings.set_claimed("absent", [])


async def test_unfinished_are_in_the_order_in_which_they_were_made(firings: FiringStore) -> None:
    some = [firing(n, run(n), made_at=START - n * MINUTE) for n in range(5)]
    for one in (*some, firing(9, run(9), app="other")):
        await firings.insert(one)
    assert await firings.unfinished("demo") == some[::-1]


async def test_those_under_way_come_in_the_order_in_which_they_end(firings: FiringStore) -> None:
    some = [firing(n, run(n), state="handed", expires_at=START - n * MINUTE) for n in range(5)]
    for one in (*some, firing(8, run(8), state="settled"), firing(9, run(9), app="other")):
        await firings.insert(one)
    assert [one.id for one in await firings.under_way("demo")] == [one.id for one in some[::-1]]


async def test_firings_are_listed_newest_first_without_members(firings: FiringStore) -> None:
    some = [firing(n, run(n), due_at=START - n * HOUR) for n in range(4)]
    for one in (*some, firing(8, run(8), scenario="other")):
        await firings.insert(one)
    listed = [replace(one, members=()) for one in some]
    assert await firings.find("demo", "basket", START + DAY, 3) == listed[:3]
    assert await firings.find("demo", "basket", listed[1].due_at, 3) == listed[2:]


async def test_no_later_write_brings_an_erased_name_back(stores: ScenarioStores) -> None:
    firings, made = stores.firings, firing(1, run(0), run(1))
    await firings.insert(made)
    await stores.runs.insert([run(0)])
    erasure = ScenarioErasure(firings._firings.database)
    for person, at in (("p-0000", START - MINUTE), ("p-0001", START)):
        async for found in erasure.firings("demo", {person: at}):  # the first is from later
            await erasure.blank_members(found)
    assert await firings.set_claimed(made.id, made.members)
    stored = await firings.get(made.id)
    assert stored is not None and stored.members == made.members[:1]


@pytest.fixture
def wakers(stores: ScenarioStores) -> WakerStore:
    return stores.wakers


async def test_one_process_has_an_app(wakers: WakerStore) -> None:
    taken = await asyncio.gather(*(wakers.take("demo", f"w{n}", 0) for n in range(4)))
    assert sorted(taken, key=str) == [0, None, None, None]
    holder = f"w{taken.index(0)}"
    other = "another"
    assert await wakers.take("demo", other, 0) is None
    assert await wakers.take("demo", holder, 0) == 0 and await wakers.renew("demo", holder)
    assert await wakers.take("shop", other, 0) == 0, "another app"


async def test_a_lease_whose_beat_stands_still_is_taken_over(wakers: WakerStore) -> None:
    assert await wakers.take("demo", "one", 0) == 0
    assert await wakers.take("demo", "two", 100) is None, "seen for the first time"
    assert await wakers.renew("demo", "one")
    assert await wakers.take("demo", "two", 100 + BEAT_SECONDS) is None, "it moved"
    assert await wakers.take("demo", "two", 99 + 2 * BEAT_SECONDS) is None
    assert await wakers.take("demo", "two", 100 + 2 * BEAT_SECONDS) == 0
    # The frozen one is back, and stops at its next write.
    assert not await wakers.renew("demo", "one")
    assert not await wakers.raise_n("demo", "one", 0)
    assert await wakers.take("demo", "one", 0) is None


async def test_n_is_raised_once_by_who_has_the_app(wakers: WakerStore) -> None:
    await wakers.take("demo", "one", 0)
    raised = await asyncio.gather(*(wakers.raise_n("demo", "one", 0) for _ in range(4)))
    assert sorted(raised) == [False, False, False, True]
    assert not await wakers.raise_n("demo", "two", 1)
    assert await wakers.raise_n("demo", "one", 1)
    assert await wakers.take("demo", "one", 0) == 2


async def test_a_clean_stop_gives_its_apps_up(wakers: WakerStore) -> None:
    for app in ("a", "b"):
        await wakers.take(app, "one", 0)
    await wakers.raise_n("a", "one", 0)
    await wakers.give_up("one")
    assert not await wakers.renew("a", "one")
    assert await wakers.take("a", "two", 0) == 1
    assert await wakers.take("b", "two", 0) == 0
