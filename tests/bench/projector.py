"""The projector: against a plain bulk_write loop of the same documents, event to profile, memory."""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
from pymongo import ReplaceOne

from ingest_service.projector.decode import Projected
from ingest_service.projector.person_ids import PersonIds
from ingest_service.projector.projector import PROJECTOR_BATCH_RECORDS, Projector
from ingest_service.projector.store import MongoProjections
from shared.clock import monotonic, utc_now
from shared.health import Health
from shared.kafka.client import ensure_topics, open_log_writer
from shared.kafka.records import OutgoingRecord, Record
from shared.kafka.topics import EVENTS_TOPIC, TOPICS
from shared.models.event import Event
from shared.mongo.client import Database, Document, ensure_indexes, index_model, open_database
from shared.mongo.collections import INGEST, indexes_of
from shared.settings import Settings
from shared.stage.runner import Item, Stage, StageContext
from tests.bench.measuring import report
from tests.support import stack

VISITORS = 2_000
ALL = VISITORS * 5 // PROJECTOR_BATCH_RECORDS  # batches until every visitor has sent an event
BATCHES = 30
MEMORY_EVENTS = int(os.environ.get("BENCH_MEMORY_EVENTS", "100000"))
LATENCY_SECONDS = 10.0
START = datetime(2026, 11, 1, tzinfo=UTC)
KIND = ("oneSignal", "pageview", "pageview", "addToBasket", "identify")


async def main() -> None:
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        stack.broker() as broker,
        stack.database(Path(folder) / "database") as server,
    ):
        settings = stack.settings_for(broker.address, f"mongodb://{server.address}", Path(folder))
        async with open_database(settings.mongo, "bench") as database:
            await ensure_indexes(database, INGEST)
            for name, indexes in indexes_of(INGEST):  # what an index costs, it costs both
                models = [index_model(index) for index in indexes]
                await database[f"plain_{name}"].create_indexes(models)
            report(f"driver {settings.mongo.driver}, server SecantusDB, majority and journal")
            await _ratio(database, "new visitors", 0)
            await _both(database, range(BATCHES, ALL))  # so that both replace what is there
            rate = await _ratio(database, "returning visitors", ALL)
            await _latency(settings, database, rate / 2)
            await _memory(database)


class Recording(MongoProjections):
    """Keeps what was written, batch by batch."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.written: list[tuple[str, list[Document]]] = []

    async def _write(
        self,
        collection: str,
        writes: Sequence[Any],
        *,
        counted: bool = True,
        ordered: bool = False,
    ) -> None:
        documents = [w._doc for w in writes if hasattr(w, "_doc") and isinstance(w._doc, dict)]
        if documents and counted:
            self.written.append((collection, documents))
        await super()._write(collection, writes, counted=counted, ordered=ordered)


async def _ratio(database: Database, who: str, first: int) -> float:
    took, plain, count = await _both(database, range(first, first + BATCHES))
    rate = BATCHES * PROJECTOR_BATCH_RECORDS / took
    report(
        f"{who}: {BATCHES * PROJECTOR_BATCH_RECORDS:,} events, {count:,} documents: projector {took:.1f} s"
        f" ({rate:,.0f} events/s), plain bulk_write loop {plain:.1f} s: {plain / took:.2f} (aim: 0.7)"
    )
    return rate


async def _both(database: Database, numbers: Iterable[int]) -> tuple[float, float, int]:
    """Seconds of the projector, of the plain loop, and how many documents it were, batch by batch in
    turns, so that what else the machine does falls on both alike.
    """
    store = Recording(database)
    projector = _projector(store)
    took = plain = 0.0
    count = 0
    for number in numbers:
        batch = batch_of(number)
        began = time.perf_counter()
        await projector.handle(batch)
        took += time.perf_counter() - began
        began = time.perf_counter()
        count += await _write_plainly(database, store.written)
        plain += time.perf_counter() - began
        store.written.clear()
    return took, plain, count


async def _write_plainly(database: Database, written: list[tuple[str, list[Document]]]) -> int:
    for collection, documents in written:
        writes = [ReplaceOne({"_id": d["_id"]}, d, upsert=True) for d in documents]
        await database[f"plain_{collection}"].bulk_write(writes, ordered=False)
    return sum(len(documents) for _, documents in written)


async def _latency(settings: Settings, database: Database, rate: float) -> None:
    """Measure from an event's publishing until its profile is written, at half of the maximum rate."""
    log_id = await ensure_topics(settings.kafka, TOPICS)
    projector = _projector(MongoProjections(database))
    sent: dict[str, float] = {}
    took: list[float] = []

    async def handle(items: Sequence[Item[Projected]]) -> Sequence[Any]:
        done = await projector.handle(items)
        now = time.perf_counter()
        took.extend((now - sent[i.value.id]) * 1_000 for i in items if isinstance(i.value, Event))
        return done

    spec = projector.spec(5)
    stop = asyncio.Event()
    async with open_log_writer(settings.kafka, "bench") as writer:
        context = StageContext(settings.kafka, writer, log_id, utc_now, Health(utc_now, monotonic))
        stage = asyncio.create_task(Stage(replace(spec, handle=handle), context).run(stop))
        for warming in (True, False):  # the consumer has joined its group by then
            total = 20 if warming else int(rate * LATENCY_SECONDS)
            await _publish(writer, sent, total, rate)
            await stack.eventually(lambda: len(took) >= len(sent), 60)
            if warming:
                took.clear()
                sent.clear()
        stop.set()
        await stage
    ordered = sorted(took)
    report(
        f"event to profile at {rate:,.0f} events/s, ms (aim: 250): p50 {statistics.median(took):.0f},"
        f" p99 {ordered[int(len(ordered) * 0.99)]:.0f}, n {len(took):,}"
    )


async def _publish(writer: Any, sent: dict[str, float], total: int, rate: float) -> None:
    began = time.perf_counter()
    pending: set[asyncio.Task[None]] = set()
    for number in range(total):
        await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
        event = event_of(number, f"latency-{uuid.uuid4()}")
        sent[event.id] = time.perf_counter()
        outgoing = OutgoingRecord(EVENTS_TOPIC.name, event.key, event.dump(), event.type)
        pending.add(asyncio.create_task(writer.publish([outgoing])))
    await asyncio.gather(*pending)


async def _memory(database: Database) -> None:
    """Report the slope after the first fifth: a projector keeps nothing between two batches."""
    projector = _projector(MongoProjections(database))
    process = psutil.Process()
    samples: list[tuple[int, int]] = []
    for number in range(MEMORY_EVENTS // PROJECTOR_BATCH_RECORDS):
        await projector.handle(batch_of(2 * ALL + number))
        samples.append((number * PROJECTOR_BATCH_RECORDS, process.memory_info().rss))
    late = samples[len(samples) // 5 :]
    slope = statistics.linear_regression([n for n, _ in late], [rss for _, rss in late]).slope
    report(
        f"memory over {MEMORY_EVENTS:,} events: {samples[0][1] / 2**20:.0f} MiB at first,"
        f" {samples[-1][1] / 2**20:.0f} MiB at last, slope {slope:.1f} bytes an event"
    )


def _projector(store: MongoProjections) -> Projector:
    return Projector(store, PersonIds(b"bench"), utc_now)


def batch_of(number: int) -> list[Item[Projected]]:
    first = number * PROJECTOR_BATCH_RECORDS
    events = [event_of(n, f"e{n}") for n in range(first, first + PROJECTOR_BATCH_RECORDS)]
    return [Item(Record(EVENTS_TOPIC.name, 0, 0, b"", b"", e.type, 0), e) for e in events]


def event_of(number: int, name: str) -> Event:
    """Build event `number`: each visitor sends five in a row, as on a visit to a shop."""
    visitor = number // 5 % VISITORS
    kind = KIND[number % 5]
    results: dict[str, dict[str, Any]] = {
        "oneSignal": {"playerID": str(uuid.UUID(int=visitor)), "status": "subscribed",
                      "state": "subscribed"},
        "pageview": {"itemID": f"i{number % 97}", "categoryID": f"c{number % 11}"},
        "addToBasket": {"itemID": f"i{number % 97}", "quantity": 1, "price": 10},
        "identify": {"login": f"l{visitor}"},
    }  # fmt: skip
    at = START + timedelta(seconds=number)
    return Event(
        app="demo", id=name, type=kind, source="browser", visitor_id=f"v{visitor}",
        occurred_at=at, received_at=at, data=results[kind],
        context={"language": "cs", "timeZone": "Europe/Prague", "browser": "Chrome"},
    )  # fmt: skip
