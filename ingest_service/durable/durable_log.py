"""Where events are stored for good: in Kafka, or on disk while Kafka can't take them.

While the spool holds events all new ones go behind them, whatever their key: that keeps every key's
order. One drainer publishes them in that order.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

from ingest_service.durable.pending_writes import PendingWrite, confirm, refuse
from ingest_service.durable.spool import Spool, SpoolFailed, SpoolFull, size_of
from ingest_service.durable.spool_name import received_at
from shared import metrics
from shared.errors import LogUnavailable
from shared.kafka.client import OutgoingRecord
from shared.processes import SpoolState

log = logging.getLogger("carillon.ingest")

DRAIN_RECORDS = 1_000  # published together: half a megabyte, and the most that is published twice
INTERVAL_SECONDS = 0.004  # between flushes, at least
RETRY_SECONDS = 0.25
LEAST_CHECK_SECONDS = 0.25  # a busy process isn't a broker that is away
LEAST_SECONDS = 0.1  # that Kafka has for an acknowledgement, however long somebody waited before
LARGEST_BYTES = 64 * 1024  # an event: 32 KiB as received, and what we add
T = TypeVar("T")


class Kafka(Protocol):
    """`publish` raises LogUnavailable, at once where that is known; `check` finds it out."""

    async def publish(self, records: Sequence[OutgoingRecord], seconds: float) -> None: ...

    async def check(self) -> None: ...


@dataclass(frozen=True)
class PublishTimeouts:
    """How long an acknowledgement may take: while somebody waits for it, and when draining."""

    answering_seconds: float
    draining_seconds: float


class DurableLog:
    """`publish` returns when Kafka has acknowledged or the disk has synced.

    What is asked for while a flush is under way goes into the next one, together.
    """

    def __init__(
        self, kafka: Kafka, spool: Spool, limit_bytes: int, patience: PublishTimeouts
    ) -> None:
        self._kafka = kafka
        self._spool = spool
        self._limit = limit_bytes
        self._patience = patience
        self._thread = ThreadPoolExecutor(1, "spool")
        self._waiting: list[PendingWrite] = []
        self._flushing: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()  # between a flush and the drainer's last batch
        self._filled = asyncio.Event()
        self._flushed = 0.0  # when the last flush began, by the loop's clock

    async def publish(self, records: Sequence[OutgoingRecord]) -> None:
        """Raises LogUnavailable: SpoolFull, or SpoolFailed."""
        loop = asyncio.get_running_loop()
        stored = loop.create_future()
        self._waiting.append(PendingWrite(records, stored, loop.time()))
        if self._flushing is None:
            self._flushing = loop.create_task(self._flush())
        await stored

    async def check(self) -> None:
        """For the health probe. Raises LogUnavailable while not everything is in Kafka."""
        try:  # no more patient than with events: what goes to disk must not be told as ready
            async with asyncio.timeout(max(LEAST_CHECK_SECONDS, self._patience.answering_seconds)):
                await self._kafka.check()
        except TimeoutError as exc:
            raise LogUnavailable("Kafka doesn't answer in time") from exc
        if self._spool.count:
            raise LogUnavailable("events wait on disk", code="spooling")

    async def check_space(self) -> None:
        """For the health probe. Raises SpoolFull where an event of any size may no longer fit, and
        SpoolFailed while the disk takes none, unless Kafka takes them without the spool.
        """
        if self._spool.is_failing:
            await self._prove_disk()
        if self._spool.size + LARGEST_BYTES > self._limit:
            raise SpoolFull("Kafka is away and the spool is full")

    async def state(self) -> SpoolState:
        """Return what waits on disk. The oldest is also the first: they are kept in order."""
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

    async def _flush(self) -> None:
        try:
            while self._waiting:
                await self._gather()
                async with self._turn:
                    taken, self._waiting = self._waiting, []
                    try:
                        await self._store(taken)
                    except LogUnavailable as exc:
                        refuse(taken, exc)
                    except BaseException:
                        refuse(taken, LogUnavailable("interrupted"))
                        raise
        finally:
            self._flushing = None

    async def _gather(self) -> None:
        """Nobody waits who comes alone; under load more come together, and cost less each."""
        now = asyncio.get_running_loop().time()
        if self._flushed + INTERVAL_SECONDS > now:
            await asyncio.sleep(self._flushed + INTERVAL_SECONDS - now)
            now = self._flushed + INTERVAL_SECONDS
        self._flushed = now

    async def _store(self, taken: Sequence[PendingWrite]) -> None:
        if self._spool.count == 0 and await self._is_published(taken):
            confirm(taken)
        else:
            await self._keep(taken)

    async def _is_published(self, taken: Sequence[PendingWrite]) -> bool:
        """False where it is unknown, too: then they are published again, under the same ids."""
        records = [record for one in taken for record in one.records]
        # Counted from the arrival of the first: it may have waited for a flush or the drainer, which
        # were as patient themselves, and an answer is due within a second.
        waited = asyncio.get_running_loop().time() - taken[0].since
        seconds = max(LEAST_SECONDS, self._patience.answering_seconds - waited)
        try:
            await self._kafka.publish(records, seconds)
        except LogUnavailable:
            return False
        return True

    async def _keep(self, taken: Sequence[PendingWrite]) -> None:
        fitting, size = [], self._spool.size
        for one in taken:
            grown = size + size_of(one.records)
            if grown > self._limit:
                refuse([one], SpoolFull("Kafka is away and the spool is full"))
            else:
                fitting.append(one)
                size = grown
        if not fitting:
            return
        records = [record for one in fitting for record in one.records]
        await self._on_disk(lambda: self._spool.append(records))
        self._tell()
        self._filled.set()
        confirm(fitting)

    async def _drain_for_ever(self) -> None:
        while True:
            await self._filled.wait()
            self._filled.clear()
            if self._spool.count:
                log.warning("events wait on disk", extra={"records": self._spool.count})
                await self._drain()
                log.info("all events are in Kafka again")

    async def _drain(self) -> None:
        while self._spool.count:
            try:
                await self._kafka.check()
                await self._drain_some()
            except LogUnavailable:
                await asyncio.sleep(RETRY_SECONDS)
            except Exception as exc:  # nobody else would ever drain it
                log.error("the spool isn't drained", exc_info=exc)
                await asyncio.sleep(RETRY_SECONDS)

    async def _drain_some(self) -> None:
        if self._spool.count > DRAIN_RECORDS:
            await self._move(self._patience.draining_seconds)
        else:  # nothing may go behind the last ones, or there would be no last ones
            async with self._turn:
                await self._move(self._patience.answering_seconds)

    async def _move(self, seconds: float) -> None:
        last, records = await self._on_disk(lambda: self._spool.first(DRAIN_RECORDS))
        await self._kafka.publish(records, seconds)
        try:
            await self._on_disk(lambda: self._spool.remove(last, records))
        except SpoolFailed as exc:  # a full disk: the spool remembers that these have left
            log.warning("the spool can't be shortened", extra={"reason": exc.message})
        self._tell()
        metrics.SPOOL_DRAINED.inc(len(records))

    async def _on_disk(self, work: Callable[[], T]) -> T:
        """Off the loop's thread; shielded, because what has begun there can't be called back."""
        loop = asyncio.get_running_loop()
        return await asyncio.shield(loop.run_in_executor(self._thread, work))

    def _tell(self) -> None:
        metrics.SPOOL_RECORDS.set(self._spool.count)
        metrics.SPOOL_BYTES.set(self._spool.size)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Drains in the background; leaves what is not drained by the end to the next start."""
        self._tell()
        if self._spool.count:
            self._filled.set()
        drainer = asyncio.create_task(self._drain_for_ever())
        try:
            yield
        finally:
            drainer.cancel()
            await asyncio.gather(drainer, return_exceptions=True)
            if self._flushing is not None:
                await asyncio.gather(self._flushing, return_exceptions=True)
            self._thread.shutdown()
            self._spool.close()
