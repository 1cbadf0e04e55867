"""A group that is never shared out, because one of its members says nothing: the others can still be
stopped, say so, and go on as soon as it is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition

from shared.settings import Settings
from tests.integration.shared.stages import ScriptedHandler, StageHarness, open_bench
from tests.support.stack import eventually

JOIN_SECONDS = 4.0  # the embedded broker takes 3 to share out
STOP_SECONDS = 6.0  # the client alone would wait for the answer to its request: 20


class Silent(ConsumerRebalanceListener):  # type: ignore[misc]
    """Keeps its membership, and gives no partition back before its end."""

    def __init__(self) -> None:
        self.asked = 0
        self.ends = asyncio.Event()

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        if revoked:
            self.asked += 1
            await self.ends.wait()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        pass


@asynccontextmanager
async def silent_member(bench: StageHarness) -> AsyncIterator[Silent]:
    listener = Silent()
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bench.kafka.bootstrap_servers,
        group_id=bench.name,
        session_timeout_ms=bench.kafka.session_timeout_ms,
        heartbeat_interval_ms=bench.kafka.session_timeout_ms // 5,
        rebalance_timeout_ms=60_000,  # else a real Kafka goes on without it after its session
    )
    consumer.subscribe([bench.topic], listener=listener)
    await consumer.start()
    await eventually(consumer.assignment, 30)
    try:
        yield listener
    finally:
        listener.ends.set()
        await consumer.stop()


@pytest.fixture
async def bench(settings: Settings) -> AsyncIterator[StageHarness]:
    async with open_bench(settings, partitions=2) as bench:
        yield bench


def reported(bench: StageHarness) -> object:
    found = bench.health.report()[1]["dependencies"]
    assert isinstance(found, list)
    return found[0]["error"]


async def test_stage_joins_anew_until_its_group_is_shared_out(bench: StageHarness) -> None:
    work = ScriptedHandler()
    async with AsyncExitStack() as opened:
        async with silent_member(bench) as silent:
            await opened.enter_async_context(bench.stage(work, join_seconds=JOIN_SECONDS))
            await eventually(lambda: silent.asked)
            await eventually(lambda: reported(bench) == "kafka_unavailable", 15)
            await bench.publish("hello")
            assert not work.done
        await eventually(lambda: "hello" in work.done, 40)
        await eventually(lambda: reported(bench) is None)


async def test_stage_without_partitions_can_be_stopped(bench: StageHarness) -> None:
    async with silent_member(bench) as silent, bench.stage(ScriptedHandler()) as running:
        await eventually(lambda: silent.asked)
        assert await running.end() < STOP_SECONDS
