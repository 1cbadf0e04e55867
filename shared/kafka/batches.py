"""Publishing many records at once: one record batch and one acknowledgement a partition."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from shared.coalescer import Coalescer, Pending
from shared.kafka.client import LogWriter, partition_of
from shared.kafka.errors import FATAL_PRODUCER_ERRORS, translate_kafka_errors
from shared.kafka.records import TYPE_HEADER, OutgoingRecord


class BatchWriter:
    """Writer of collected records. It saves a future, a look-up and a queue for each record.

    Order is kept within a partition as long as one call ends before the next begins.
    """

    def __init__(self, writer: LogWriter) -> None:
        self._writer = writer

    async def publish(self, records: Sequence[OutgoingRecord], seconds: float) -> None:
        """Publish records; return when all in-sync replicas have acknowledged all.

        Raises LogUnavailable where one was not acknowledged in time. It may be stored all the same, now or
        later, so a repeated publication must use the same ids.
        """
        with self._writer.sending(), translate_kafka_errors():
            async with asyncio.timeout(seconds):
                producer = await self._writer.producer()
                try:
                    await _send(producer, records)
                    self._writer.readers.notify(record.topic for record in records)
                except FATAL_PRODUCER_ERRORS:
                    self._writer.replace(producer)
                    raise

    async def ping(self) -> None:
        """Raise LogUnavailable unless a broker answers."""
        await self._writer.ping()


class CoalescingWriter:
    """Writer of single records. Those that arrive while a batch is under way form the next one."""

    def __init__(self, batches: BatchWriter, seconds: float) -> None:
        self._batches = batches
        self._seconds = seconds
        self._records = Coalescer(self._store)

    async def publish(self, record: OutgoingRecord) -> None:
        """Publish a record; return when it is acknowledged.

        Raises LogUnavailable, though it may be stored all the same.
        """
        await self._records.add(record)

    async def _store(self, pending: Sequence[Pending[OutgoingRecord]]) -> None:
        await self._batches.publish([one.item for one in pending], self._seconds)


async def _send(producer: Any, records: Iterable[OutgoingRecord]) -> None:
    batches = await _build(producer, records)
    answers: list[asyncio.Future[Any]] = []
    for topic, partition, batch in batches:
        answer = await producer.send_batch(batch, topic, partition=partition)
        answer.add_done_callback(_mark_as_read)
        answers.append(answer)
    await asyncio.gather(*answers)


def _mark_as_read(answer: asyncio.Future[Any]) -> None:
    """Read the failure, so that asyncio doesn't report it as unread."""
    if not answer.cancelled():
        answer.exception()


async def _build(producer: Any, records: Iterable[OutgoingRecord]) -> list[tuple[str, int, Any]]:
    """Return (topic, partition, batch); a full batch comes before the next of its partition."""
    counts: dict[str, int] = {}
    last: dict[tuple[str, int], Any] = {}
    batches = []
    for record in records:
        topic, key = record.topic, record.key
        if topic not in counts:
            counts[topic] = len(await producer.partitions_for(topic))
        if isinstance(key, str):
            key = key.encode()
        place = (topic, partition_of(key, counts[topic]))
        headers = _headers(record.type)
        batch = last.get(place)
        if batch is None or not _append(batch, key, record.value, headers):
            batch = last[place] = producer.create_batch()
            batches.append((*place, batch))
            _append(batch, key, record.value, headers)  # the first always fits
    return batches


@lru_cache(256)
def _headers(kind: str) -> list[tuple[str, bytes]]:
    return [(TYPE_HEADER, kind.encode())]


def _append(batch: Any, key: bytes, value: bytes, headers: list[tuple[str, bytes]]) -> bool:
    appended = batch.append(timestamp=None, key=key, value=value, headers=headers)
    return appended is not None
