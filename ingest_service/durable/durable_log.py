"""The durable log of events: Kafka, or the spool on disk while Kafka is away.

While the spool holds events, all new ones are appended to it, which keeps the order of every key. One
drainer publishes them in that order.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

from ingest_service.durable.spool import Spool, SpoolFailed, SpoolFull, size_of
from ingest_service.durable.spool_name import received_at
from shared import metrics
from shared.coalescer import Coalescer, Pending, refuse
from shared.errors import LogUnavailable
from shared.kafka.records import OutgoingRecord
from shared.processes import SpoolState

log = logging.getLogger("carillon.ingest")

DRAIN_RECORDS = 1_000  # published together: half a megabyte, and the most that is published twice
INTERVAL_SECONDS = 0.004  # between flushes, at least
RETRY_SECONDS = 0.25
LEAST_CHECK_SECONDS = 0.25  # a busy process isn't a broker that is away
LEAST_SECONDS = 0.1  # that Kafka has for an acknowledgement, however long the request waited before
LARGEST_BYTES = 64 * 1024  # an event: 32 KiB as received, and what we add
T = TypeVar("T")
Write = Pending[Sequence[OutgoingRecord]]  # a request's records


class EventSink(Protocol):
    """Publisher to Kafka: in production the CircuitBreaker. Both methods raise LogUnavailable."""

    async def publish(self, records: Sequence[OutgoingRecord], seconds: float) -> None: ...

    async def check(self) -> None: ...


@dataclass(frozen=True)
class PublishTimeouts:
    """Seconds that an acknowledgement may take: while a request waits for it, and when draining."""

    answering_seconds: float
    draining_seconds: float


class DurableLog:
    """A log whose `publish` returns once Kafka has acknowledged or the disk has synced.

    Requests that arrive during a flush go into the next one, together.
    """

    def __init__(
        self, kafka: EventSink, spool: Spool, limit_bytes: int, timeouts: PublishTimeouts
    ) -> None:
        self._kafka = kafka
        self._spool = spool
        self._limit = limit_bytes
        self._timeouts = timeouts
        self._thread = ThreadPoolExecutor(1, "spool")
        self._requests = Coalescer(self._store, INTERVAL_SECONDS)
        self._filled = asyncio.Event()

    async def publish(self, records: Sequence[OutgoingRecord]) -> None:
        """Store the records durably. Raises SpoolFull, SpoolFailed, LogUnavailable."""
        await self._requests.add(records)

    async def check(self) -> None:
        """Check, for the health probe, that all events are in Kafka. Raises LogUnavailable."""
        try:  # with the timeout of events: Kafka isn't ready while they go to disk
            async with asyncio.timeout(max(LEAST_CHECK_SECONDS, self._timeouts.answering_seconds)):
                await self._kafka.check()
        except TimeoutError as exc:
            raise LogUnavailable("Kafka doesn't answer in time") from exc
        if self._spool.count:
            raise LogUnavailable("events wait on disk", code="spooling")

    async def check_space(self) -> None:
        """Check, for the health probe, that the spool has room for an event of any size.

        A disk that fails is no error while Kafka takes all events. Raises SpoolFull, SpoolFailed.
        """
        if self._spool.is_failing:
            await self._prove_disk()
        if self._spool.size + LARGEST_BYTES > self._limit:
            raise SpoolFull("Kafka is away and the spool is full")

    async def state(self) -> SpoolState:
        """Return the number of spooled records, and the time of the first, which is the oldest."""
        if not self._spool.count:
            return SpoolState(0, None)
        try:
            _, first = await self._on_disk(lambda: self._spool.first(1))
        except (SpoolFailed, RuntimeError):  # a broken disk; at the end the thread is gone
            first = []
        return SpoolState(self._spool.count, received_at(first[0]) if first else None)

    async def _prove_disk(self) -> None:
        try:
            await self._on_disk(lambda: self._spool.prove(LARGEST_BYTES))
            self._filled.set()  # a file that could be opened only now may hold events
        except SpoolFailed:
            if self._spool.count:
                raise
            try:
                await self.check()
            except LogUnavailable:
                raise SpoolFailed("Kafka is away and the spool can't be written") from None

    async def _store(self, taken: Sequence[Write]) -> None:
        if self._spool.count or not await self._is_published(taken):
            await self._keep(taken)

    async def _is_published(self, taken: Sequence[Write]) -> bool:
        """Publish to Kafka, and return whether it acknowledged.

        Unacknowledged records may be there all the same: they are published again under their ids.
        """
        records = [record for one in taken for record in one.item]
        # Counted from the arrival of the first: it may have waited for a flush or the drainer, which
        # have the same timeout, and the response is due within a second.
        waited = asyncio.get_running_loop().time() - taken[0].since
        seconds = max(LEAST_SECONDS, self._timeouts.answering_seconds - waited)
        try:
            await self._kafka.publish(records, seconds)
        except LogUnavailable:
            return False
        return True

    async def _keep(self, taken: Sequence[Write]) -> None:
        fitting, size = [], self._spool.size
        for one in taken:
            grown = size + size_of(one.item)
            if grown > self._limit:
                refuse([one], SpoolFull("Kafka is away and the spool is full"))
            else:
                fitting.append(one)
                size = grown
        if not fitting:
            return
        records = [record for one in fitting for record in one.item]
        await self._on_disk(lambda: self._spool.append(records))
        self._update_metrics()
        self._filled.set()

    async def _drain_for_ever(self) -> None:
        while True:
            await self._filled.wait()
            self._filled.clear()
            if self._spool.count:
                log.warning("events spooled", extra={"records": self._spool.count})
                await self._drain()
                log.info("spool drained")

    async def _drain(self) -> None:
        while self._spool.count:
            try:
                await self._kafka.check()
                await self._drain_some()
            except LogUnavailable:
                await asyncio.sleep(RETRY_SECONDS)
            except Exception as exc:  # nothing else would ever drain it
                log.error("spool drain failed", exc_info=exc)
                await asyncio.sleep(RETRY_SECONDS)

    async def _drain_some(self) -> None:
        if self._spool.count > DRAIN_RECORDS:
            await self._move(self._timeouts.draining_seconds)
        else:  # no new events meanwhile, or the spool would never be empty
            async with self._requests.lock:
                await self._move(self._timeouts.answering_seconds)

    async def _move(self, seconds: float) -> None:
        last, records = await self._on_disk(lambda: self._spool.first(DRAIN_RECORDS))
        await self._kafka.publish(records, seconds)
        try:
            await self._on_disk(lambda: self._spool.remove(last, records))
        except SpoolFailed as exc:  # a full disk: the spool remembers that these have left
            log.warning("spool delete failed", extra={"reason": exc.message})
        self._update_metrics()
        metrics.SPOOL_DRAINED.inc(len(records))

    async def _on_disk(self, work: Callable[[], T]) -> T:
        """Run the work on the spool's thread; shielded, because it can't be cancelled there."""
        loop = asyncio.get_running_loop()
        return await asyncio.shield(loop.run_in_executor(self._thread, work))

    def _update_metrics(self) -> None:
        metrics.SPOOL_RECORDS.set(self._spool.count)
        metrics.SPOOL_BYTES.set(self._spool.size)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Drain the spool in the background while open; the next start drains the rest."""
        self._update_metrics()
        if self._spool.count:
            self._filled.set()
        drainer = asyncio.create_task(self._drain_for_ever())
        try:
            yield
        finally:
            drainer.cancel()
            await asyncio.gather(drainer, return_exceptions=True)
            await self._requests.finish()
            self._thread.shutdown()
            self._spool.close()
