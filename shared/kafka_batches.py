"""Many records at once: one record batch a partition, one acknowledgement a batch."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from shared.kafka import (
    OUT_OF_STEP,
    TYPE_HEADER,
    LogWriter,
    Outgoing,
    partition_of,
    translate_kafka_errors,
)


class BatchWriter:
    """For whoever collects records: saves a future, a look-up and a queue for each.

    Order is kept within a partition as long as one call ends before the next begins.
    """

    def __init__(self, writer: LogWriter) -> None:
        self._writer = writer

    async def publish(self, records: Sequence[Outgoing], seconds: float) -> None:
        """Returns when all are acknowledged by all in-sync replicas.

        Raises LogUnavailable where one was not, or not in time: it may be stored all the same, now or
        later, so whoever publishes again must use the same ids.
        """
        with translate_kafka_errors():
            async with asyncio.timeout(seconds):
                producer = await self._writer.producer()
                try:
                    await _send(producer, records)
                except OUT_OF_STEP:
                    self._writer.replace(producer)
                    raise

    async def ping(self) -> None:
        """Raises LogUnavailable unless a broker answers."""
        await self._writer.ping()


async def _send(producer: Any, records: Iterable[Outgoing]) -> None:
    batches = await _build(producer, records)
    answers: list[asyncio.Future[Any]] = []
    for topic, partition, batch in batches:
        answer = await producer.send_batch(batch, topic, partition=partition)
        answer.add_done_callback(_take_note)
        answers.append(answer)
    await asyncio.gather(*answers)


def _take_note(answer: asyncio.Future[Any]) -> None:
    """Nobody may be waiting any more when it fails."""
    if not answer.cancelled():
        answer.exception()


async def _build(producer: Any, records: Iterable[Outgoing]) -> list[tuple[str, int, Any]]:
    """Topic, partition and batch, a full one before the next of its partition."""
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
