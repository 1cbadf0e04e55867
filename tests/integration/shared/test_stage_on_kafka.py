"""A stage on a log that is killed and comes back: nothing is lost, nothing committed is repeated."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from shared.clock import monotonic, utc_now
from shared.errors import LogUnavailable
from shared.health import Health
from shared.kafka.client import LogWriter, ensure_topics, open_log_writer
from shared.kafka.records import OutgoingRecord, Record
from shared.kafka.topics import DEAD_LETTERS_TOPIC, EVENTS_TOPIC
from shared.settings import KafkaSettings
from shared.stage.dead_letters import Poison
from shared.stage.runner import Item, Stage, StageContext, StageSpec
from tests.support import stack

pytestmark = pytest.mark.cluster

GROUP = "test.stage"
PLACES = [TopicPartition(EVENTS_TOPIC.name, number) for number in range(EVENTS_TOPIC.partitions)]
STOP_SECONDS = 20.0  # twice the time that its last commit is tried for, and the client's own


class Counting:
    """A stage that counts how often it was given each record, and may be held up."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self.has_work = asyncio.Event()
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    def spec(self) -> StageSpec[str]:
        return StageSpec(
            "test", GROUP, (EVENTS_TOPIC.name,), self._decode, self._handle, in_flight=3
        )

    def _decode(self, record: Record) -> str:
        return record.value.decode()

    async def _handle(self, items: Sequence[Item[str]]) -> Sequence[Poison]:
        self.has_work.set()
        await self.goes_on.wait()
        self.seen.update(item.value for item in items)
        return ()

    async def until_seen(self, names: Sequence[str]) -> None:
        await stack.eventually(lambda: self.seen.keys() >= set(names), 60)


class Pulse:
    """The clock of a stage's health: looked at only when the stage gives a sign of life."""

    def __init__(self) -> None:
        self.beats = 0

    def __call__(self) -> float:
        self.beats += 1
        return monotonic()


@pytest.fixture
def pulse() -> Pulse:
    return Pulse()


@pytest.fixture
async def context(fresh_broker: stack.Server, pulse: Pulse) -> AsyncIterator[StageContext]:
    kafka = KafkaSettings(
        bootstrap_servers=fresh_broker.address,
        idempotent_producer=True,
        request_timeout_ms=2_000,
        session_timeout_ms=3_000,
    )
    log_id = await ensure_topics(kafka, [EVENTS_TOPIC, DEAD_LETTERS_TOPIC])
    async with open_log_writer(kafka, "test") as writer:
        yield StageContext(kafka, writer, log_id, utc_now, Health(utc_now, pulse))


@asynccontextmanager
async def running(counting: Counting, context: StageContext) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(Stage(counting.spec(), context).run(stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def publish(writer: LogWriter, prefix: str, count: int = 200) -> list[str]:
    """Publish until the records are acknowledged, which may store them twice.

    A broker that has just been started again may need longer than the writer waits.
    """
    names = [f"{prefix} {n}" for n in range(count)]
    records = [OutgoingRecord(EVENTS_TOPIC.name, name, name.encode(), "test") for name in names]

    async def is_stored() -> bool:
        try:
            await writer.publish(records)
        except LogUnavailable:
            return False
        return True

    await stack.eventually(is_stored, 60)
    return names


async def all_is_committed(context: StageContext) -> None:
    """Wait until the group has committed everything.

    A stage that is stopped before may have lost its membership while its broker was away. Then it may
    not commit any more: another one repeats.
    """
    await stack.eventually(lambda: _has_no_lag(context.kafka), 60, every=0.2)


async def _has_no_lag(kafka: KafkaSettings) -> bool:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap_servers)
    try:
        await admin.start()
        await consumer.start()
        committed = await admin.list_consumer_group_offsets(GROUP)
        ends = await consumer.end_offsets(PLACES)
    except KafkaError:  # its coordinator is just being loaded
        return False
    finally:
        await consumer.stop()
        await admin.close()
    at = {place: known.offset for place, known in committed.items()}
    return all(at.get(place) == end for place, end in ends.items() if end)


async def test_stage_goes_on_after_its_broker_was_killed(
    fresh_broker: stack.Server, context: StageContext
) -> None:
    counting = Counting()
    async with running(counting, context):
        first = await publish(context.writer, "first")
        await counting.until_seen(first)
        await all_is_committed(context)
        before = Counter(counting.seen)
        fresh_broker.kill()
        await asyncio.to_thread(fresh_broker.start)
        await all_is_committed(context)
        second = await publish(context.writer, "second")
        await counting.until_seen(second)
        await all_is_committed(context)
    assert counting.seen.keys() == {*first, *second}
    assert {name: counting.seen[name] for name in first} == before  # nothing of it comes again


async def test_next_stage_begins_where_the_last_one_committed(
    fresh_broker: stack.Server, context: StageContext
) -> None:
    one, other = Counting(), Counting()
    async with running(one, context):
        first = await publish(context.writer, "first")
        await one.until_seen(first)
        await all_is_committed(context)
    fresh_broker.kill()
    await asyncio.to_thread(fresh_broker.start)
    second = await publish(context.writer, "second")
    async with running(other, context):
        await other.until_seen(second)
    assert other.seen.keys() == set(second)


async def test_stage_without_its_broker_keeps_its_pulse_and_stops(
    fresh_broker: stack.Server, context: StageContext, pulse: Pulse
) -> None:
    # A commit is due, and there is nobody to take it.
    counting = Counting()
    counting.goes_on.clear()
    async with running(counting, context):
        await publish(context.writer, "first", 50)
        await counting.has_work.wait()
        fresh_broker.kill()
        counting.goes_on.set()
        await stack.eventually(lambda: counting.seen)
        beats = pulse.beats
        await stack.eventually(lambda: pulse.beats > beats + 1, 15)
        stopped_at = monotonic()
    assert monotonic() - stopped_at < STOP_SECONDS
