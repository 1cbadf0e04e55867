"""Tests of how often a batch is written: once to each collection, however much is in it."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from ingest_service.projector.decode import Projected
from ingest_service.projector.person_ids import PersonIds
from ingest_service.projector.projector import Projector
from ingest_service.projector.store import MongoProjections
from shared.kafka.records import OutgoingRecord
from shared.models.event import Event
from shared.mongo.client import ensure_indexes
from shared.mongo.collections import INGEST
from shared.settings import Settings
from tests.support.ops_events import erasure, imported, streamed, undoing
from tests.support.projector_doubles import APP, START, event, item, one_signal

WRITES = frozenset({"insert", "update", "delete", "findAndModify", "bulkWrite"})
PEOPLE = PersonIds(b"key")


class Writes(CommandListener):
    """Counts of what the driver really sends, by (collection, command)."""

    def __init__(self) -> None:
        self.seen: Counter[tuple[str, str]] = Counter()

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name in WRITES:
            self.seen[(str(event.command[event.command_name]), event.command_name)] += 1

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Ignore the end: commands are counted when they begin."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Ignore the end: commands are counted when they begin."""


@dataclass
class Watched:
    projector: Projector
    writes: Writes
    published: list[Event] = field(default_factory=list)
    moments: list[int] = field(default_factory=list)  # records of each call


@pytest.fixture
async def watched(settings: Settings) -> AsyncIterator[Watched]:
    writes, published = Writes(), list[Event]()
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
        settings.mongo.uri.get_secret_value(), tz_aware=True, event_listeners=[writes]
    )
    database = client[settings.mongo.database]
    await ensure_indexes(database, INGEST)

    async def publish(events: Sequence[Event]) -> None:
        published.extend(events)

    async def publish_moments(records: Sequence[OutgoingRecord]) -> None:
        moments.append(len(records))

    store, moments = MongoProjections(database), list[int]()
    projector = Projector(store, PEOPLE, lambda: START, publish, publish_moments=publish_moments)
    yield Watched(projector, writes, published, moments)
    await client.close()


def _of_one(name: str, number: int) -> tuple[list[Event], list[Event]]:
    """Return a browser's two batches: what makes it known, and then something of everything."""
    login, player = f"{name}@shop.test", str(uuid.uuid5(uuid.NAMESPACE_URL, name))
    known = [
        event("pageview", name, 1, itemID="shoe"),
        event("identify", name, 2, login=login),
        one_signal(name, 3, player),
        event("logout", name, 4),
        event("identify", name, 5, login=login),
        event("identify", f"desk-{name}", 6, login=login),
    ]
    born = PEOPLE.of_visitor(APP, name, "0")
    then: list[Event] = [
        event("addToBasket", name, 10, itemID="hat", quantity=1, price=9),
        event("purchase", name, 11, orderID=f"o{number}", items=[], revenue=9),
        event("logout", name, 12),
        event("pageview", f"new-{name}", 13),
        event("identify", f"new-{name}", 14, login=f"new-{login}"),
        event("oneSignalWebhook", name, 15, playerID=player),
        streamed(player, 16, "unsubscribed"),
        imported(str(uuid.uuid5(uuid.NAMESPACE_URL, f"os-{name}")), 17, login=f"old-{login}"),
    ]
    if number % 3 == 0:
        then.append(erasure(name, 20, PEOPLE.of_login(APP, login), player, findOthers=True))
    elif number % 3 == 1:
        then.append(undoing(name, 20, born))
    return known, then


def _of_many(prefix: str, count: int) -> tuple[list[Event], list[Event]]:
    known: list[Event] = []
    then: list[Event] = []
    for number in range(count):
        one, more = _of_one(f"{prefix}{number}", number)
        if number % 2:  # shops share the projector
            one, more = _of_another(one), _of_another(more)
        known += one
        then += more
    return known, then


def _of_another(events: Sequence[Event]) -> list[Event]:
    return [e.model_copy(update={"app": "other"}) for e in events]


async def _handle(watched: Watched, values: Sequence[Projected]) -> Counter[tuple[str, str]]:
    watched.writes.seen.clear()
    await watched.projector.handle([item(value) for value in values])
    return watched.writes.seen.copy()


async def test_batch_of_everything_is_one_write_a_collection(watched: Watched) -> None:
    counted = []
    for prefix, count in (("few", 6), ("many", 48)):
        known, then = _of_many(prefix, count)
        for batch in (known, then):
            seen = await _handle(watched, batch)
            noted = seen.pop(("projector", "update"), 0)
            assert noted in (0, 2)  # an erasure's begin and end
            assert set(seen.values()) == {1}, seen
            counted.append(seen)
            assert len(watched.moments) == len(counted)  # one call a batch
    assert counted[0] == counted[2] and counted[1] == counted[3]
    touched = {collection for collection, _ in counted[3]}
    assert touched == {"visitors", "players", "profiles", "merges", "erased"}
    assert min(watched.moments) > 1
    assert watched.published  # so that erasures had others to look for
