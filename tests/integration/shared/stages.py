"""A stage on a real broker, whose handler does what each record's value names."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.clock import monotonic, utc_now
from shared.errors import Rejected, StoreUnavailable
from shared.health import Health
from shared.kafka.client import LogWriter, ensure_topics, open_log_writer
from shared.kafka.records import OutgoingRecord, Record
from shared.kafka.topics import DAY_MS, DEAD_LETTERS_TOPIC, Topic
from shared.models.dead_letter import DeadLetter
from shared.settings import KafkaSettings, Settings
from shared.stage.dead_letters import Poison
from shared.stage.runner import Item, Stage, StageContext, StageSpec
from tests.support.cluster import session_ms
from tests.support.stack import eventually

PARTITIONS = 3


@dataclass
class ScriptedHandler:
    """Handler that records what it saw, in order, and waits or fails as scripted."""

    seen: list[str] = field(default_factory=list)
    batches: list[list[str]] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    away: Counter[str] = field(default_factory=Counter)  # how often this value finds the store away
    may_proceed: asyncio.Event = field(default_factory=asyncio.Event)  # "wait…" waits for it

    def decode(self, record: Record) -> str | None:
        text = record.value.decode()
        if record.type == "other":
            return None
        if text.startswith("poison"):
            raise Rejected("can never do", code="test_poison")
        if text.startswith("choke"):
            raise RecursionError(text)
        return text

    async def handle(self, items: Sequence[Item[str]]) -> Sequence[Poison]:
        values = [item.value for item in items]
        self.seen += values
        self.batches.append(values)
        for value in values:
            if value.startswith("wait"):
                await self.may_proceed.wait()
            if value.startswith("hang"):
                await asyncio.Event().wait()
            if self.away[value] > 0:
                self.away[value] -= 1
                raise StoreUnavailable("MongoDB: away")
            if value.startswith("bug"):
                raise ZeroDivisionError(value)
        self.done += values
        return [
            Poison(item.record, Rejected("no", code="test_returned"))
            for item in items
            if item.value.startswith("refuse")
        ]


@dataclass
class StageHarness:
    """A topic and a group of its own on the shared broker."""

    kafka: KafkaSettings
    writer: LogWriter
    log_id: str
    topic: str
    health: Health = field(default_factory=lambda: Health(utc_now, monotonic))

    @property
    def name(self) -> str:
        return self.topic.replace(".", "-")

    async def publish(self, *values: str, type: str = "own", key: str | None = None) -> None:
        await self.writer.publish(
            OutgoingRecord(self.topic, key if key is not None else v, v.encode(), type)
            for v in values
        )

    def spec(self, work: ScriptedHandler, **fields: Any) -> StageSpec[str]:
        values = {"batch_records": 50, "drain_seconds": 1.0, **fields}
        return StageSpec(self.name, self.name, (self.topic,), work.decode, work.handle, **values)

    @asynccontextmanager
    async def stage(self, work: ScriptedHandler, **fields: Any) -> AsyncIterator[Running]:
        """Runs until the end of the block."""
        context = StageContext(self.kafka, self.writer, self.log_id, utc_now, self.health)
        stop = asyncio.Event()
        task = asyncio.create_task(Stage(self.spec(work, **fields), context).run(stop))
        running = Running(task, stop)
        try:
            yield running
        finally:
            await running.end()

    async def dead_letters(self) -> list[DeadLetter]:
        """Return the dead letters of this bench's topic so far."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.kafka.bootstrap_servers, auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            consumer.assign([TopicPartition(DEAD_LETTERS_TOPIC.name, 0)])
            found: dict[str, DeadLetter] = {}
            while fetched := await consumer.getmany(timeout_ms=300):
                for message in next(iter(fetched.values())):
                    dead_letter = DeadLetter.parse(message.value)
                    if dead_letter.topic == self.topic:
                        found[dead_letter.id] = dead_letter
            return list(found.values())
        finally:
            await consumer.stop()

    async def dead_letters_of(self, *values: str) -> dict[str, DeadLetter]:
        """Wait for the dead letters of these records; return them by value."""

        async def look() -> dict[str, DeadLetter]:
            by_value = {DeadLetter.unpack(x.value).decode(): x for x in await self.dead_letters()}
            return by_value if by_value.keys() >= set(values) else {}

        found: dict[str, DeadLetter] = await eventually(look, 15)
        return found


@dataclass
class Running:
    task: asyncio.Task[None]
    stop: asyncio.Event

    async def end(self) -> float:
        """Stop the stage; return how long that took."""
        began = time.monotonic()
        self.stop.set()
        await self.task
        return time.monotonic() - began

    async def kill(self) -> None:
        """Stop as a crash does: wait for nothing, commit nothing."""
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        self.task = asyncio.create_task(asyncio.sleep(0))


@asynccontextmanager
async def open_bench(
    settings: Settings, partitions: int = PARTITIONS
) -> AsyncIterator[StageHarness]:
    kafka = settings.kafka.model_copy(update={"session_timeout_ms": session_ms()})
    topic = Topic(f"test.stage.{uuid.uuid4().hex}", partitions, DAY_MS, ("group",))
    log_id = await ensure_topics(kafka, [topic, DEAD_LETTERS_TOPIC])
    async with open_log_writer(kafka, "test") as writer:
        yield StageHarness(kafka, writer, log_id, topic.name)
