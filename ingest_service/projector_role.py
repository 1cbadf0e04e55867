"""The role `projector`: its stage, its pause barrier, and the snapshots that it keeps."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ingest_service.projector.decode import Projected
from ingest_service.projector.meta import note_log
from ingest_service.projector.pause_barrier import PauseBarrier
from ingest_service.projector.person_ids import PersonIds
from ingest_service.projector.projector import Projector
from ingest_service.projector.store import MongoProjections
from ingest_service.replay.sweeper import Sweeper
from ingest_service.snapshot.keeper import keep_snapshots
from shared.clock import monotonic, utc_now
from shared.health import Component
from shared.kafka.records import OutgoingRecord
from shared.kafka.topics import EVENTS_TOPIC
from shared.models.event import Event
from shared.mongo.client import Database, translate_mongo_errors
from shared.service import retry_until_available
from shared.settings import Settings
from shared.stage.dead_letters import Poison
from shared.stage.runner import Item, Stage, StageContext


@dataclass(frozen=True)
class Surroundings:
    """Dependencies of the role. `note` receives the stage before it begins."""

    settings: Settings
    database: Database
    people: PersonIds
    context: StageContext
    mongo: Component
    note: Callable[[Stage[Projected]], None]


async def project(given: Surroundings, stop: asyncio.Event) -> None:
    """Project until `stop`."""
    settings, database, context = given.settings, given.database, given.context

    async def begin() -> None:
        with translate_mongo_errors():
            await note_log(database, context.log_id)
        await barrier.join()

    async def publish(events: Sequence[Event]) -> None:
        records = [OutgoingRecord(EVENTS_TOPIC.name, e.key, e.dump(), e.type) for e in events]
        await context.writer.publish(records)

    barrier = PauseBarrier(database, f"{os.getpid()}-{uuid.uuid4().hex[:8]}")
    projector = Projector(
        MongoProjections(database), given.people, utc_now, publish,
        publish_moments=context.writer.publish,
    )  # fmt: skip
    spec = projector.spec(settings.ingest.drain_seconds)

    async def handle(items: Sequence[Item[Projected]]) -> Sequence[Poison]:
        async with barrier.batch():
            return await projector.handle(items)

    # A heartbeat is stored before the first batch.
    await retry_until_available(begin, stop, given.mongo)
    if stop.is_set():
        return
    stage, ended = Stage(replace(spec, handle=handle), context), asyncio.Event()
    barrier.attach(stage)
    given.note(stage)

    async def work() -> None:
        await stage.run(stop)
        ended.set()  # not earlier: a replay also waits for the last batch

    async with asyncio.TaskGroup() as group:
        group.create_task(barrier.watch(ended))
        group.create_task(Sweeper(database, monotonic).watch(stop))
        group.create_task(keep_snapshots(settings, database, context.log_id, stop))
        group.create_task(work())
