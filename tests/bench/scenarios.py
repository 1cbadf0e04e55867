"""Scenarios: what moments cost the projector, entries against plain inserts, a crowd that is due at once.

`BENCH_PARTS=moments,entries,crowd` chooses; `BENCH_RUNS` makes the crowd smaller.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ingest_service.projector.decode import Projected
from ingest_service.projector.person_ids import PersonIds
from ingest_service.projector.projector import PROJECTOR_BATCH_RECORDS, Projector
from ingest_service.projector.store import MongoProjections
from shared.clock import utc_now
from shared.gc_tuning import calm_garbage_collector
from shared.kafka.client import LogWriter, ensure_topics, open_log_writer
from shared.kafka.records import Record
from shared.kafka.topics import EVENTS_TOPIC, TOPICS
from shared.mongo.client import Database, index_model, open_database
from shared.mongo.collections import INGEST, indexes_of
from shared.stage.runner import Item
from tests.bench.measuring import report
from tests.bench.projector import KIND, batch_of, event_of
from tests.bench.scenario_crowd import measure_crowd
from tests.bench.scenario_entries import measure_entries
from tests.support import stack

MOMENT_BATCHES = int(os.environ.get("BENCH_MOMENT_BATCHES", "30"))
WARMING = 5  # batches before what is measured

Batch = Sequence[Item[Projected]]


async def main() -> None:
    parts = os.environ.get("BENCH_PARTS", "moments,entries,crowd").split(",")
    if "moments" in parts:
        await _measure_moments()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        if "entries" in parts:
            await measure_entries(Path(folder) / "entries")
        if "crowd" in parts:
            await measure_crowd(Path(folder) / "crowd")


async def _measure_moments() -> None:
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        stack.broker() as broker,
        stack.database(Path(folder) / "database") as server,
    ):
        settings = stack.settings_for(broker.address, f"mongodb://{server.address}", Path(folder))
        await ensure_topics(settings.kafka, TOPICS)
        async with (
            open_database(settings.mongo, "bench") as database,
            open_log_writer(settings.kafka, "bench") as writer,
        ):
            await _moments(database, writer, "a visit of five events a person", batch_of)
            await _moments(database, writer, "an event a person", _scattered)


async def _moments(
    database: Database, writer: LogWriter, who: str, batch: Callable[[int], Batch]
) -> None:
    """Measure the CPU of two projectors, batch by batch in turns: one publishes moments."""
    without = Projector(await _empty(database, "without_"), PersonIds(b"bench"), utc_now)
    publishing = Projector(
        await _empty(database, "with_"), PersonIds(b"bench"), utc_now,
        publish_moments=writer.publish,
    )  # fmt: skip
    calm_garbage_collector()  # as the service does
    cpu = {without: 0.0, publishing: 0.0}
    for number in range(WARMING + MOMENT_BATCHES):
        for projector in (without, publishing):
            items = batch(number)  # of its own: what an event has cached costs the other nothing
            began = time.process_time()
            await projector.handle(items)
            if number >= WARMING:
                cpu[projector] += time.process_time() - began
    events = MOMENT_BATCHES * PROJECTOR_BATCH_RECORDS
    report(
        f"{who}: {events:,} events, CPU an event: with moments {cpu[publishing] / events * 1e6:.0f} µs,"
        f" without {cpu[without] / events * 1e6:.0f}: {cpu[publishing] / cpu[without]:.2f} (aim: 1.10)"
    )


async def _empty(database: Database, prefix: str) -> MongoProjections:
    """Return projections under a prefix, empty, with the indexes of the live ones."""
    for name, indexes in indexes_of(INGEST):
        await database[prefix + name].drop()
        await database[prefix + name].create_indexes([index_model(index) for index in indexes])
    return MongoProjections(database, prefix)


def _scattered(number: int) -> Batch:
    """Return a batch in which each event is another person's."""
    kind, first = number % len(KIND), number // len(KIND) * PROJECTOR_BATCH_RECORDS
    visitors = range(first, first + PROJECTOR_BATCH_RECORDS)
    events = [event_of(v * len(KIND) + kind, f"s{v}-{kind}") for v in visitors]
    return [Item(Record(EVENTS_TOPIC.name, 0, 0, b"", b"", e.type, 0), e) for e in events]
