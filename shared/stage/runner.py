"""The one loop of every Kafka stage: take a batch, do the work, write the results, *then* commit.

    poll ─► decode ─► handle ─► (poison ─► carillon.dead-letters) ─► commit what is contiguous

A *unit* is what one poll brought; up to `in_flight` units are worked on at once and may finish out
of order. Offsets are committed only up to the first unfinished one. While `in_flight` units are at work
the stage only keeps its membership. `Unavailable` from a handler means: the same unit
again, after a pause, for as long as it takes. Any other error is narrowed down to the record that
causes it, which becomes a dead letter. Handlers are idempotent.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from shared import metrics
from shared.clock import monotonic
from shared.errors import LogUnavailable, Rejected, Unavailable
from shared.health import Component
from shared.kafka.reader import LogReader
from shared.kafka.records import Record
from shared.loops import sleep_or_stop
from shared.mongo.errors import translate_mongo_errors
from shared.stage.dead_letters import DeadLetterPublisher, Poison
from shared.stage.offsets import OffsetTracker, Unit
from shared.stage.poison_throttle import ONLY_POISON, PoisonThrottle
from shared.stage.reading import create_rest, join, read_ages, until_stopped
from shared.stage.spec import Handler, Item, StageContext, StageSpec

__all__ = ["Handler", "Item", "Stage", "StageContext", "StageSpec"]

T = TypeVar("T")
log = logging.getLogger("carillon.stage")

STAGE_POLL_MS = 200
IDLE_MS = 1_000  # what comes ends it, and a stop
REBALANCE_SECONDS = 5.0  # how long a rebalance may wait for units under way
FIRST_PAUSE_SECONDS = 0.1
MAX_RETRY_PAUSE_SECONDS = 5.0
STALLED_SECONDS = 60.0  # no pass of the loop for this long: unhealthy


class Stage(Generic[T]):
    """Runner of one spec, until it is stopped."""

    def __init__(self, spec: StageSpec[T], context: StageContext) -> None:
        self._spec = spec
        self._context = context
        self._dead = DeadLetterPublisher(spec.name, context.writer, context.log_id, context.clock)
        self._offsets = OffsetTracker()
        self._crash: BaseException | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._throttle = PoisonThrottle(spec.name, monotonic)
        self._component: Component = context.health.component(
            f"stage:{spec.name}", deadline_seconds=STALLED_SECONDS
        )
        self._reader: LogReader | None = None
        self._rest = create_rest(context, spec)
        self.has_read = False  # once each partition that it was given has answered

    async def behind(self, topic: str) -> dict[int, int]:
        """Return what `read_ages` does; nothing without a reader."""
        if self._reader is None:
            return {}
        unfinished = self._offsets.oldest_by_partition(topic)
        return await read_ages(self._reader, topic, unfinished, self._context.clock)

    @property
    def under_way(self) -> bool:
        """Return whether there is a unit that isn't done."""
        return bool(self._tasks)

    @property
    def uncommitted(self) -> bool:
        """Return whether there is a unit that is done, but may come again."""
        return bool(self._offsets.ready())

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop`, through times without a broker."""
        while not stop.is_set():
            try:
                await self._consume(stop)
            except LogUnavailable as exc:
                self._component.fail(exc.code)
                await sleep_or_stop(stop, 1.0)

    async def _consume(self, stop: asyncio.Event) -> None:
        reader: LogReader
        reader = LogReader(
            self._context.kafka,
            self._spec.group,
            self._spec.topics,
            on_revoke=lambda: self._drain(reader, REBALANCE_SECONDS),
            rest=self._rest,
        )
        try:
            await join(reader, stop, self._spec.join_seconds)
            self._component.beat()
            self._reader = reader
            while not stop.is_set():
                await self._pass(reader, stop)
                self.has_read = self.has_read or reader.is_reading
                self._report(reader)
        finally:
            self._reader = None
            await self._drain(reader, self._spec.drain_seconds if stop.is_set() else 0)
            await reader.stop()

    async def _pass(self, reader: LogReader, stop: asyncio.Event) -> None:
        """Take work where there is room for it, and commit what is done."""
        if self._crash is not None:
            raise self._crash
        if len(self._tasks) >= self._spec.in_flight or self._throttle.is_too_soon(len(self._tasks)):
            await reader.keep_alive()
            await reader.refresh_end_offsets()
            if self._tasks:
                await asyncio.wait(
                    self._tasks, timeout=STAGE_POLL_MS / 1000, return_when=asyncio.FIRST_COMPLETED
                )
            else:
                await asyncio.sleep(STAGE_POLL_MS / 1000)
        else:
            # With units under way, poll briefly: their offsets wait to be committed.
            is_idle = self.has_read and not self._tasks
            wait, spec = 20 if self._tasks else IDLE_MS if is_idle else STAGE_POLL_MS, self._spec
            polling = reader.poll(wait, spec.batch_records, spec.linger_seconds)
            records = await (until_stopped(polling, stop) if is_idle else polling)
            if records:
                self._start(self._offsets.open(records))
        await self._commit(reader)

    def _start(self, unit: Unit) -> None:
        task = asyncio.create_task(self._work(unit), name=f"{self._spec.name}:unit")
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._crash = task.exception()  # a mistake of ours: the process stops and logs it

    async def _commit(self, reader: LogReader) -> None:
        ready = self._offsets.ready()
        if ready and await reader.commit(ready):
            self._offsets.committed(ready)

    async def _drain(self, reader: LogReader, timeout: float) -> None:
        """Wait for units under way, commit what is done, cancel the rest (it will be repeated)."""
        if self._tasks and timeout > 0:
            await asyncio.wait(self._tasks, timeout=timeout)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(LogUnavailable):
            await self._commit(reader)
        self._offsets = OffsetTracker()

    async def _work(self, unit: Unit) -> None:
        began = time.perf_counter()
        items, poison = self._decode(unit.records)
        # Retried whole, also where it was halved: what one half needs, the other needs too.
        poison += await self._retry(lambda: self._handle(items))
        await self._publish_dead_letters(poison)
        unit.done = True
        self._count(unit, len(poison), time.perf_counter() - began)

    def _decode(self, records: Sequence[Record]) -> tuple[list[Item[T]], list[Poison]]:
        items: list[Item[T]] = []
        poison: list[Poison] = []
        for record in records:
            try:
                value = self._spec.decode(record)
            except Rejected as exc:
                poison.append(Poison(record, exc))
            except Exception as exc:  # a record that no rule foresaw must not end the process
                log.error("record unreadable", exc_info=exc, extra={"stage": self._spec.name})
                error = Rejected(f"unreadable: {type(exc).__name__}", code="unreadable")
                poison.append(Poison(record, error))
            else:
                if value is not None:
                    items.append(Item(record, value))
        return items, poison

    async def _handle(self, items: list[Item[T]]) -> list[Poison]:
        if not items:
            return []
        try:
            with translate_mongo_errors():  # also what no store has translated
                return list(await self._spec.handle(items))
        except Unavailable:
            raise
        except Exception as exc:  # one bad record must not take its batch with it
            name = self._spec.name
            log.error("batch failed", exc_info=exc, extra={"stage": name, "records": len(items)})
            if len(items) == 1:
                error = Rejected(f"{name} failed: {type(exc).__name__}", code="stage_failed")
                return [Poison(items[0].record, error)]
        half = len(items) // 2  # a whole batch one by one would be what slows the stage down
        return [*await self._handle(items[:half]), *await self._handle(items[half:])]

    async def _retry(self, work: Callable[[], Awaitable[Sequence[Poison]]]) -> Sequence[Poison]:
        """Repeat `work` while a dependency is away."""
        wait = FIRST_PAUSE_SECONDS
        while True:
            try:
                return await work()
            except Unavailable as exc:
                self._component.wait_for(exc)
                metrics.STAGE_RETRIES.labels(self._spec.name, exc.code).inc()
                await asyncio.sleep(wait * random.uniform(0.5, 1))
                wait = min(MAX_RETRY_PAUSE_SECONDS, wait * 2)

    async def _publish_dead_letters(self, poison: Sequence[Poison]) -> None:
        if not poison:
            return

        async def publish() -> Sequence[Poison]:
            await self._dead.publish(poison)
            return ()

        await self._retry(publish)

    def _count(self, unit: Unit, poison: int, seconds: float) -> None:
        metrics.STAGE_RECORDS.labels(self._spec.name).inc(len(unit.records))
        metrics.STAGE_SECONDS.labels(self._spec.name).observe(seconds)
        self._set_age(unit.records[-1])
        self._throttle.count(poison, len(unit.records))

    def _set_age(self, record: Record) -> None:
        age = self._context.clock().timestamp() - record.at_ms / 1000
        metrics.STAGE_AGE.labels(self._spec.name).set(max(0.0, age))

    def _report(self, reader: LogReader) -> None:
        unfinished = self._offsets.unfinished()  # read, but a stage that is stuck is behind it
        for topic, behind in reader.lag().items():
            metrics.STAGE_LAG.labels(self._spec.name, topic).set(behind + unfinished.get(topic, 0))
        if (oldest := self._offsets.oldest()) is not None:
            self._set_age(oldest)
        if self._throttle.only_poison:
            self._component.fail(ONLY_POISON)
        elif not self._tasks or self._component.error is None:
            self._component.beat()
        else:  # a unit waits for something; the loop itself is alive
            self._component.fail(self._component.error)
