"""Shares of the rate over replicas: known from counters in MongoDB, watched on one's own clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from sender_service.dispatcher.governor import (
    DEAD_BEATS,
    FORGET_BEATS,
    JOIN_BEATS,
    Governor,
    Membership,
)
from sender_service.providers.base import Channel
from sender_service.store.limits import ReplicaStore
from shared.errors import StoreUnavailable
from shared.mongo.client import Database, open_database
from shared.mongo.collections import REPLICAS
from shared.settings import GovernorSettings, MongoSettings, Settings
from tests.support.clocks import ManualClock
from tests.support.providers import channel_of
from tests.support.stack import free_port

CHANNEL = channel_of("demo")


@pytest.fixture(params=["motor", "pymongo"])
async def database(request: pytest.FixtureRequest, settings: Settings) -> AsyncIterator[Database]:
    mongo = settings.mongo.model_copy(update={"driver": request.param})
    async with open_database(mongo, "test") as opened:
        yield opened


class Replicas:
    """Replicas that beat once a second of one clock, as far as they live."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = ManualClock()
        self.living: list[Membership] = []

    def join(self, name: str) -> Membership:
        replica = Membership(
            ReplicaStore(self.database), name, GovernorSettings(), self.clock.monotonic
        )
        self.living.append(replica)
        return replica

    async def beats(self, count: int) -> None:
        for _ in range(count):
            await asyncio.gather(*(replica.beat() for replica in self.living))
            self.clock.advance(1)


async def test_shares_are_never_more_than_the_whole(database: Database) -> None:
    replicas = Replicas(database)
    one = replicas.join("one")
    assert one.share == 0, "not before it could be seen"
    await replicas.beats(JOIN_BEATS + 1)
    assert one.share == 1
    two, three = replicas.join("two"), replicas.join("three")
    for _ in range(8):
        await replicas.beats(1)
        assert one.share + two.share + three.share <= 1 + 1e-9
    assert one.share == two.share == three.share == pytest.approx(1 / 3)


async def test_dead_replica_leaves_its_share_after_a_while(database: Database) -> None:
    replicas = Replicas(database)
    one, two = replicas.join("one"), replicas.join("two")
    await replicas.beats(5)
    assert one.share == two.share == 0.5
    replicas.living.remove(two)
    for _ in range(DEAD_BEATS + 2):
        await replicas.beats(1)
        assert one.share + two.share <= 1
    assert (one.share, two.share) == (1, 0)


async def test_stalled_replica_stands_still_before_a_newcomer_begins(database: Database) -> None:
    # It did not see the newcomer, so it must not use what the newcomer takes.
    replicas = Replicas(database)
    stalled = replicas.join("stalled")
    await replicas.beats(5)
    replicas.living.remove(stalled)
    newcomer = replicas.join("newcomer")
    for _ in range(DEAD_BEATS + 2):
        await replicas.beats(1)
        assert stalled.share + newcomer.share <= 1
    assert newcomer.share == 1


async def test_no_wall_clock_is_compared(database: Database) -> None:
    """Two replicas whose clocks are a day apart see each other's counters move all the same."""
    replicas = Replicas(database)
    one = replicas.join("one")
    elsewhere = ManualClock()
    elsewhere.advance(86_400)
    two = Membership(ReplicaStore(database), "two", GovernorSettings(), elsewhere.monotonic)
    for _ in range(6):
        await asyncio.gather(replicas.beats(1), two.beat())
        elsewhere.advance(1)
    assert one.share == two.share == 0.5


async def test_what_was_left_by_the_long_dead_is_removed(database: Database) -> None:
    replicas = Replicas(database)
    replicas.join("one")
    await database[REPLICAS.name].insert_one({"_id": "ghost", "beat": 7, "pauses": {}})
    await replicas.beats(FORGET_BEATS)
    assert await database[REPLICAS.name].count_documents({}) == 2
    await replicas.beats(3)
    assert await database[REPLICAS.name].count_documents({}) == 1
    assert replicas.living[0].share == 1


async def test_pause_reaches_the_others_once(database: Database) -> None:
    replicas = Replicas(database)
    one, two = replicas.join("one"), replicas.join("two")
    heard: list[tuple[Channel, float]] = []
    two.on_pause = lambda channel, seconds: heard.append((channel, seconds))
    await replicas.beats(2)
    one.announce_pause(CHANNEL, 30)
    await replicas.beats(3)
    assert heard == [(CHANNEL, 30)]
    one.announce_pause(CHANNEL, 5)
    await replicas.beats(3)
    assert heard == [(CHANNEL, 30), (CHANNEL, 5)]
    three = replicas.join("three")
    three.on_pause = lambda channel, seconds: heard.append((channel, seconds))
    await replicas.beats(3)
    assert len(heard) == 2, "what was told before it came may be long over"


async def test_after_a_429_all_go_on_more_slowly(database: Database) -> None:
    replicas = Replicas(database)
    governors = [
        Governor(replicas.join(name), GovernorSettings(), replicas.clock.monotonic)
        for name in ("one", "two")
    ]
    await replicas.beats(JOIN_BEATS + 1)
    for governor in governors:
        governor._limits[CHANNEL] = 150
    before = sum(governor._rate(CHANNEL) for governor in governors)
    governors[0].pause(*CHANNEL, 5)
    await replicas.beats(2)
    assert sum(governor._rate(CHANNEL) for governor in governors) == before / 2
    await replicas.beats(60)
    assert sum(governor._rate(CHANNEL) for governor in governors) == before


async def test_without_mongodb_there_is_no_share() -> None:
    nowhere = MongoSettings.model_validate(
        {"uri": f"mongodb://127.0.0.1:{free_port()}", "timeout_ms": 100}
    )
    async with open_database(nowhere, "test") as database:
        clock = ManualClock()
        replica = Membership(ReplicaStore(database), "one", GovernorSettings(), clock.monotonic)
        replica._beat, replica._written_at = 10, 0.0
        assert replica.share == 1
        clock.advance(JOIN_BEATS + 0.1)
        with pytest.raises(StoreUnavailable):
            await replica.beat()
        assert replica.share == 0
