"""Scan of the log outside of any group: between given offsets, in the order it was written."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.errors import LogUnavailable
from shared.kafka.client import MAX_MESSAGE_BYTES
from shared.kafka.errors import translate_kafka_errors
from shared.kafka.reader import to_record
from shared.kafka.records import Partition, Record
from shared.kafka.topics import Topic
from shared.settings import KafkaSettings

SCAN_POLL_MS = 1_000
SILENT_POLLS = 15  # this many without a record before the end: the broker is not well
SCAN_RECORDS = 500


def partitions_of(topics: Iterable[Topic]) -> list[Partition]:
    return [(topic.name, number) for topic in topics for number in range(topic.partitions)]


async def committed_offsets(
    kafka: KafkaSettings, group: str, places: Iterable[Partition]
) -> dict[Partition, int]:
    """Return the group's offsets; 0 where it committed none. Raises LogUnavailable."""
    async with open_scanner(kafka, group) as reader:
        partitions = [TopicPartition(*place) for place in places]
        reader.assign(partitions)
        with translate_kafka_errors():
            return {(p.topic, p.partition): await reader.committed(p) or 0 for p in partitions}


async def first_offsets(kafka: KafkaSettings, places: Iterable[Partition]) -> dict[Partition, int]:
    """Return the first offsets that the log still has. Raises LogUnavailable."""
    async with open_scanner(kafka, None) as reader:
        with translate_kafka_errors():
            found = await reader.beginning_offsets([TopicPartition(*place) for place in places])
        return {(p.topic, p.partition): offset for p, offset in found.items()}


async def offsets_at(
    kafka: KafkaSettings, places: Iterable[Partition], since: datetime
) -> tuple[dict[Partition, int], dict[Partition, int]]:
    """Return the first offsets of records at or after a moment, and the end offsets of now.

    Raises LogUnavailable.
    """
    partitions = [TopicPartition(*place) for place in places]
    at_ms = int(since.timestamp() * 1_000)
    async with open_scanner(kafka, None) as reader:
        with translate_kafka_errors():
            ends = await reader.end_offsets(partitions)
            found = await reader.offsets_for_times(dict.fromkeys(partitions, at_ms))
    starts = {p: ends[p] if found[p] is None else found[p].offset for p in partitions}
    return _by_place(starts), _by_place(ends)


def _by_place(offsets: Mapping[TopicPartition, int]) -> dict[Partition, int]:
    return {(place.topic, place.partition): offset for place, offset in offsets.items()}


async def scan(
    kafka: KafkaSettings, starts: Mapping[Partition, int], ends: Mapping[Partition, int]
) -> AsyncGenerator[list[Record], None]:
    """Yield batches; partitions are merged by the broker's timestamps. Raises LogUnavailable."""
    left = {TopicPartition(*p): ends[p] for p in ends if ends[p] > starts.get(p, 0)}
    if not left:
        return
    async with open_scanner(kafka, None) as reader:
        reader.assign(list(left))
        for place in left:
            reader.seek(place, starts.get((place.topic, place.partition), 0))
        waiting: dict[TopicPartition, deque[Record]] = {place: deque() for place in left}
        batch: list[Record] = []
        while left or any(waiting.values()):
            await _fill(reader, waiting, left)
            ready = [place for place, records in waiting.items() if records]
            if not ready:
                continue
            earliest = min(ready, key=lambda place: waiting[place][0].at_ms)
            batch.append(waiting[earliest].popleft())
            if len(batch) >= SCAN_RECORDS:
                yield batch
                batch = []
        if batch:
            yield batch


async def _fill(
    reader: AIOKafkaConsumer,
    waiting: dict[TopicPartition, deque[Record]],
    left: dict[TopicPartition, int],
) -> None:
    """Fetch until each partition that isn't read to its end has a record waiting, for the merge."""
    silent = 0
    while lacking := [place for place in left if not waiting[place]]:
        with translate_kafka_errors():
            fetched = await reader.getmany(
                *lacking, timeout_ms=SCAN_POLL_MS, max_records=SCAN_RECORDS
            )
        for place, messages in fetched.items():
            waiting[place] += (to_record(m) for m in messages if m.offset < left[place])
        for place in lacking:
            with translate_kafka_errors():
                position = await reader.position(place)
            if position >= left[place]:
                del left[place]
        silent = 0 if fetched else silent + 1
        if silent == SILENT_POLLS:
            raise LogUnavailable("Kafka: the broker brings no more records before the end")


@asynccontextmanager
async def open_scanner(kafka: KafkaSettings, group: str | None) -> AsyncIterator[AIOKafkaConsumer]:
    """Open a consumer that joins no group; `group` owns the commits it may ask for."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka.bootstrap_servers,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=kafka.fetch_max_wait_ms,
        max_partition_fetch_bytes=MAX_MESSAGE_BYTES,
        request_timeout_ms=kafka.request_timeout_ms,
    )
    try:
        with translate_kafka_errors():
            await consumer.start()
        yield consumer
    finally:
        await consumer.stop()
