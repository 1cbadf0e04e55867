"""A projector stands still for a replay only once its last batch's offsets are committed.

The replay reads the log up to them: what is handled but not committed would be in the collections
that it replaces, and the commit that follows would keep it from being read again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from ingest_service.projector.pause_barrier import PAUSING, PROCESS_ID_PREFIX, PauseBarrier
from ingest_service.projector.person_ids import PersonIds
from ingest_service.projector_role import Surroundings, project
from ingest_service.replay.lease import ReplayLease, ReplayLeases
from shared.clock import monotonic, utc_now
from shared.errors import StoreUnavailable
from shared.health import Health
from shared.kafka.client import ensure_topics, open_log_writer
from shared.kafka.reader import LogReader
from shared.kafka.records import Offsets, OutgoingRecord
from shared.kafka.topics import EVENTS_TOPIC, TOPICS
from shared.mongo.client import Database, open_database
from shared.settings import Settings
from shared.stage.runner import StageContext
from tests.support import stack
from tests.support.projector_doubles import event


@dataclass
class PublishedEvents:
    under_way: bool = False
    uncommitted: bool = False


async def taken(database: Database) -> ReplayLease:
    run = await ReplayLeases(database, monotonic).acquire()
    assert run is not None
    return run


async def process_of(database: Database) -> dict[str, Any]:
    every = [
        d async for d in database["projector"].find({}) if d["_id"].startswith(PROCESS_ID_PREFIX)
    ]
    return every[0] if every else {}


async def test_what_a_stage_owes_is_waited_for(settings: Settings) -> None:
    async with open_database(settings.mongo, "test") as database:
        stage, barrier = PublishedEvents(), PauseBarrier(database, "it")
        barrier.attach(stage)
        await barrier.join()
        run = await taken(database)
        await ReplayLeases(database, monotonic).change({"run": run.name}, {"phase": PAUSING})

        async def is_still() -> bool:
            await barrier.poll()
            return bool((await process_of(database))["paused"] == run.name)

        assert await is_still()
        stage.uncommitted = True
        assert not await is_still()
        stage.uncommitted, stage.under_way = False, True
        assert not await is_still()  # its dead letters are being written, perhaps
        with pytest.raises(StoreUnavailable):
            async with barrier.batch():
                pass
        assert await is_still()  # it waits for this run
        stage.uncommitted = True
        assert not await is_still()


class BlockedWork:
    """Patch of readers: a commit waits until `open` is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open = asyncio.Event()
        self.waiting = 0
        commit = LogReader.commit

        async def slowly(reader: LogReader, offsets: Offsets) -> bool:
            self.waiting += 1
            await self.open.wait()
            return await commit(reader, offsets)

        monkeypatch.setattr(LogReader, "commit", slowly)


@asynccontextmanager
async def projecting(
    settings: Settings, database: Database, blocked: BlockedWork
) -> AsyncIterator[asyncio.Event]:
    """Run a projector that has handled one event; yield its stop."""
    stop = asyncio.Event()
    health = Health(utc_now, monotonic)
    mongo = health.component("mongodb", deadline_seconds=10)
    log_id = await ensure_topics(settings.kafka, TOPICS)
    async with open_log_writer(settings.kafka, "test") as writer:
        context = StageContext(settings.kafka, writer, log_id, utc_now, health)
        people = PersonIds(b"key")
        given = Surroundings(settings, database, people, context, mongo, lambda stage: None)
        running = asyncio.create_task(project(given, stop))
        published = event("pageview", "v", 1)
        await writer.publish(
            [OutgoingRecord(EVENTS_TOPIC.name, published.key, published.dump(), published.type)]
        )
        try:
            await stack.eventually(lambda: database["profiles"].find_one({}), 30)
            yield stop
        finally:
            stop.set()
            blocked.open.set()
            await running


async def beats(database: Database, count: int) -> bool:
    """Check whether the process beat so many times more, without pausing."""
    first = (await process_of(database))["beat"]

    async def has_beaten() -> bool:
        found = await process_of(database)
        assert found["paused"] is None
        return bool(found["beat"] >= first + count)

    return bool(await stack.eventually(has_beaten))


async def test_a_commit_that_takes_its_time_is_waited_for(
    alone: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = BlockedWork(monkeypatch)
    async with open_database(alone.mongo, "test") as database:
        async with projecting(alone, database, blocked) as stop:
            await stack.eventually(lambda: blocked.waiting)
            run = await taken(database)
            async with run.kept():
                pausing = asyncio.create_task(run.pause_projectors(dead_seconds=30))
                assert await beats(database, 4)
                stop.set()  # also when it is about to end
                assert await beats(database, 4) and not pausing.done()
                blocked.open.set()
                await pausing
                await run.release()
        assert await process_of(database) == {}
