"""Tests of what only a log on disk can promise: killed or frozen, it keeps what it acknowledged."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from shared.errors import LogUnavailable
from shared.kafka.client import LogWriter, ensure_topics, open_log_writer
from shared.kafka.reader import LogReader
from shared.kafka.records import OutgoingRecord
from shared.kafka.topics import EVENTS_TOPIC
from shared.settings import KafkaSettings
from tests.support import stack
from tests.support.cluster import is_cluster

pytestmark = pytest.mark.cluster

PUBLISHERS = 8
TIMEOUT_SECONDS = 2.0
BOUND_SECONDS = TIMEOUT_SECONDS + 3  # the writer adds one to the timeout, a busy machine the rest


@pytest.fixture
async def kafka(fresh_broker: stack.Server) -> KafkaSettings:
    """Return settings of this test's own broker, with a topic."""
    settings = KafkaSettings(
        bootstrap_servers=fresh_broker.address,
        idempotent_producer=is_cluster(),
        request_timeout_ms=round(TIMEOUT_SECONDS * 1000),
    )
    await ensure_topics(settings, [EVENTS_TOPIC])
    return settings


def record(name: str) -> OutgoingRecord:
    return OutgoingRecord(EVENTS_TOPIC.name, name, name.encode(), "test")


@contextmanager
def suspended(server: stack.Server) -> Iterator[None]:
    server.freeze()
    try:
        yield
    finally:
        server.thaw()


async def is_refused(writer: LogWriter, one: OutgoingRecord) -> bool:
    try:
        await writer.publish([one])
    except LogUnavailable:
        return True
    return False


async def is_published(writer: LogWriter, one: OutgoingRecord) -> bool:
    return not await is_refused(writer, one)


class Load:
    """Publishers that go on whatever happens, and what was acknowledged to them."""

    def __init__(self, writer: LogWriter) -> None:
        self.acknowledged: set[str] = set()
        self.failures = 0
        self._writer = writer

    async def publish(self, publisher: int) -> None:
        number = 0
        while True:
            batch = [f"{publisher}-{number + n}" for n in range(10)]
            number += len(batch)
            try:
                await self._writer.publish(map(record, batch))
            except LogUnavailable:
                self.failures += 1
            else:
                self.acknowledged.update(batch)

    async def until_acknowledged(self, count: int) -> None:
        expected = len(self.acknowledged) + count
        await stack.eventually(lambda: len(self.acknowledged) >= expected, 60)


@asynccontextmanager
async def under_load(writer: LogWriter) -> AsyncIterator[Load]:
    load = Load(writer)
    publishers = [asyncio.create_task(load.publish(n)) for n in range(PUBLISHERS)]
    try:
        yield load
    finally:
        for publisher in publishers:
            publisher.cancel()
        await asyncio.gather(*publishers, return_exceptions=True)


async def read_until(kafka: KafkaSettings, has_all: Callable[[set[str]], bool]) -> set[str]:
    async def revoked() -> None: ...

    found: set[str] = set()
    reader = LogReader(kafka, "test.reader", [EVENTS_TOPIC.name], revoked)
    try:
        await reader.start()

        async def read() -> bool:
            found.update(r.value.decode() for r in await reader.poll(200, 5_000))
            return has_all(found)

        await stack.eventually(read, 30)
    finally:
        await reader.stop()
    return found


async def test_kill_loses_nothing_acknowledged(
    fresh_broker: stack.Server, kafka: KafkaSettings
) -> None:
    async with open_log_writer(kafka, "test") as writer, under_load(writer) as load:
        for _ in range(2):
            await load.until_acknowledged(1_000)
            fresh_broker.kill()
            await asyncio.to_thread(fresh_broker.start)
        await load.until_acknowledged(1_000)
    await read_until(kafka, load.acknowledged.issubset)


@pytest.mark.parametrize("seconds", [BOUND_SECONDS, 10.0], ids=["shortly", "beyond its session"])
async def test_suspended_broker_is_reported_in_time_and_taken_again(
    fresh_broker: stack.Server, kafka: KafkaSettings, seconds: float
) -> None:
    async with open_log_writer(kafka, "test") as writer:
        await writer.publish([record("before")])
        with suspended(fresh_broker):
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                began = time.monotonic()
                attempts = [is_refused(writer, record(f"frozen {n}")) for n in range(20)]
                assert all(await asyncio.gather(*attempts))
                assert time.monotonic() - began < BOUND_SECONDS
        await stack.eventually(lambda: is_published(writer, record("after")), 30)
        for number in range(20):  # on every partition
            await stack.eventually(partial(is_published, writer, record(f"after {number}")), 15)
    await read_until(kafka, {"before", "after"}.issubset)


async def test_refused_record_takes_no_other_with_it(kafka: KafkaSettings) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await admin.start()
    small = {"max.message.bytes": "1000"}
    await admin.create_topics([NewTopic("small", 1, 1, topic_configs=small)])
    await admin.close()
    async with open_log_writer(kafka, "test") as writer:
        await writer.publish([OutgoingRecord("small", "k", b"x", "test")])
        assert await is_refused(writer, OutgoingRecord("small", "k", b"x" * 5_000, "test"))
        one = OutgoingRecord("small", "k", b"x", "test")
        await stack.eventually(lambda: is_published(writer, one))


async def test_writer_closes_without_its_broker(
    fresh_broker: stack.Server, kafka: KafkaSettings
) -> None:
    async with open_log_writer(kafka, "test") as writer:
        await writer.publish([record("before")])
        with suspended(fresh_broker):
            assert await is_refused(writer, record("frozen"))
            async with asyncio.timeout(1 + 3 * TIMEOUT_SECONDS):
                await writer.close()
