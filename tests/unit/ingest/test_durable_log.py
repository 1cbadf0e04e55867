"""What is accepted is stored in the order of its arrival, whatever Kafka does meanwhile."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from ingest_service.durable.durable_log import DurableLog, PublishTimeouts
from ingest_service.durable.spool import Spool, SpoolFull, size_of
from shared.errors import LogUnavailable
from shared.kafka.client import OutgoingRecord
from tests.stack import eventually

PATIENCE = PublishTimeouts(answering_seconds=0.05, draining_seconds=0.2)
LIMIT = 1_000_000


class FickleKafka:
    """Up, away (refuses at once), or frozen: takes what it is given and doesn't answer."""

    def __init__(self) -> None:
        self.state = "up"
        self.records: list[OutgoingRecord] = []
        self.calls = 0

    async def publish(self, records: Sequence[OutgoingRecord], seconds: float) -> None:
        self.calls += 1
        await asyncio.sleep(0)
        if self.state == "away":
            raise LogUnavailable("away")
        if self.state == "broken":
            raise RuntimeError("a mistake of somebody's")
        self.records += records
        if self.state == "frozen":
            await asyncio.sleep(seconds)
            raise LogUnavailable("no answer")

    async def check(self) -> None:
        if self.state == "mute":
            await asyncio.Event().wait()
        if self.state not in ("up", "broken"):
            raise LogUnavailable("away")

    @property
    def values(self) -> list[int]:
        return [int(record.value) for record in self.records]

    def firsts(self) -> list[int]:
        return list(dict.fromkeys(self.values))


@pytest.fixture
def kafka() -> FickleKafka:
    return FickleKafka()


@pytest.fixture
async def durable(kafka: FickleKafka, tmp_path: Path) -> AsyncIterator[DurableLog]:
    durable = create(kafka, tmp_path)
    async with durable.open():
        yield durable


def create(kafka: FickleKafka, folder: Path) -> DurableLog:
    return DurableLog(kafka, Spool(folder / "spool.sqlite"), LIMIT, PATIENCE)


def record(number: int, size: int = 1) -> OutgoingRecord:
    return OutgoingRecord(
        "carillon.events", f"v{number % 3}", str(number).encode().rjust(size), "x"
    )


async def drained(durable: DurableLog) -> None:
    async def is_empty() -> bool:
        try:
            await durable.check()
        except LogUnavailable:
            return False
        return True

    await eventually(is_empty)


async def test_goes_straight_to_kafka(durable: DurableLog, kafka: FickleKafka) -> None:
    await durable.publish([record(1), record(2)])
    assert kafka.values == [1, 2]
    await durable.check()


async def test_flush_takes_all_that_waits(durable: DurableLog, kafka: FickleKafka) -> None:
    await asyncio.gather(*(durable.publish([record(n)]) for n in range(100)))
    assert kafka.values == list(range(100))
    assert kafka.calls <= 2


@pytest.mark.parametrize("state", ["away", "frozen"])
async def test_kafka_out_of_reach(durable: DurableLog, kafka: FickleKafka, state: str) -> None:
    await durable.publish([record(0)])
    kafka.state = state
    for number in range(1, 6):
        await durable.publish([record(number)])
    with pytest.raises(LogUnavailable) as told:
        await durable.check()
    await durable.check_space()
    kafka.state = "up"
    with pytest.raises(LogUnavailable) as told:
        await durable.check()
    assert told.value.code == "spooling"
    await durable.publish([record(6)])
    await drained(durable)
    assert kafka.firsts() == list(range(7))


async def test_no_mistake_ends_the_drainer(
    durable: DurableLog, kafka: FickleKafka, caplog: pytest.LogCaptureFixture
) -> None:
    kafka.state = "away"
    await durable.publish([record(0)])
    kafka.state = "broken"
    await eventually(lambda: "spool drain failed" in caplog.text)
    kafka.state = "up"
    await drained(durable)
    assert kafka.values == [0]


async def test_broker_that_does_not_answer_is_told_as_soon_as_events_go_to_disk(
    durable: DurableLog, kafka: FickleKafka
) -> None:
    """Within the probe's second, not when the probe itself gives up."""
    kafka.state = "mute"
    async with asyncio.timeout(1):
        with pytest.raises(LogUnavailable):
            await durable.check()


async def test_order_is_kept_through_many_outages(durable: DurableLog, kafka: FickleKafka) -> None:
    chance = random.Random(7)
    numbers = itertools.count()
    for _ in range(60):
        kafka.state = chance.choice(["up", "up", "away", "frozen"])
        group = [next(numbers) for _ in range(chance.randint(1, 40))]
        await asyncio.gather(*(durable.publish([record(n)]) for n in group))
    kafka.state = "up"
    await drained(durable)
    assert kafka.firsts() == list(range(next(numbers)))


async def test_more_than_one_draining_under_load(durable: DurableLog, kafka: FickleKafka) -> None:
    """Though something new always arrives, the spool comes to its end."""
    kafka.state = "away"
    await durable.publish([record(n) for n in range(1_300)])
    kafka.state = "up"
    sent = 1_300
    while True:
        await durable.publish([record(sent)])
        sent += 1
        try:
            await durable.check()
        except LogUnavailable:
            assert sent < 20_000
        else:
            break
    assert kafka.firsts() == list(range(sent))


async def test_full_is_refused_at_once_and_smaller_ones_still_fit(
    durable: DurableLog, kafka: FickleKafka
) -> None:
    kafka.state = "away"
    big = LIMIT - size_of([record(0, 1)]) * 2
    await durable.publish([record(0, big)])
    with pytest.raises(SpoolFull):
        await durable.publish([record(1, 10_000)])
    await durable.publish([record(2)])
    kafka.state = "up"
    await drained(durable)
    await durable.publish([record(3, 10_000)])
    assert kafka.values == [0, 2, 3]


async def test_full_is_told(durable: DurableLog, kafka: FickleKafka) -> None:
    kafka.state = "away"
    await durable.publish([record(0, LIMIT - size_of([record(0, 0)]) + 1)])
    with pytest.raises(SpoolFull):
        await durable.check_space()
    with pytest.raises(SpoolFull):
        await durable.publish([record(1)])
    kafka.state = "up"
    await drained(durable)
    await durable.check_space()


async def test_what_was_left_is_drained_by_the_next(kafka: FickleKafka, tmp_path: Path) -> None:
    kafka.state = "away"
    first = create(kafka, tmp_path)
    async with first.open():
        await asyncio.gather(*(first.publish([record(n)]) for n in range(20)))
    kafka.state = "up"
    second = create(kafka, tmp_path)
    async with second.open():
        await second.publish([record(20)])
        await drained(second)
    assert kafka.values == list(range(21))


async def test_who_waits_is_answered_at_the_end(kafka: FickleKafka, tmp_path: Path) -> None:
    kafka.state = "frozen"
    durable = create(kafka, tmp_path)
    async with durable.open():
        waiting = asyncio.create_task(durable.publish([record(1)]))
        await asyncio.sleep(0)
    await waiting
