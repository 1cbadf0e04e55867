"""Tests that what is accepted is stored in the order of its arrival, whatever Kafka does meanwhile."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ingest_service.durable.durable_log import DurableLog
from ingest_service.durable.spool import SpoolFull, size_of
from shared.errors import LogUnavailable
from tests.support.stack import eventually
from tests.unit.ingest.fickle_kafka import (
    SPOOL_LIMIT,
    FickleKafka,
    create_log,
    numbered_record,
    wait_until_drained,
)


@pytest.fixture
def kafka() -> FickleKafka:
    return FickleKafka()


@pytest.fixture
async def durable(kafka: FickleKafka, tmp_path: Path) -> AsyncIterator[DurableLog]:
    durable = create_log(kafka, tmp_path)
    async with durable.open():
        yield durable


async def test_goes_straight_to_kafka(durable: DurableLog, kafka: FickleKafka) -> None:
    await durable.publish([numbered_record(1), numbered_record(2)])
    assert kafka.values == [1, 2]
    await durable.check()


async def test_flush_takes_all_that_waits(durable: DurableLog, kafka: FickleKafka) -> None:
    await asyncio.gather(*(durable.publish([numbered_record(n)]) for n in range(100)))
    assert kafka.values == list(range(100))
    assert kafka.calls <= 2


@pytest.mark.parametrize("state", ["away", "frozen"])
async def test_kafka_out_of_reach(durable: DurableLog, kafka: FickleKafka, state: str) -> None:
    await durable.publish([numbered_record(0)])
    kafka.state = state
    for number in range(1, 6):
        await durable.publish([numbered_record(number)])
    with pytest.raises(LogUnavailable) as raised:
        await durable.check()
    await durable.check_space()
    kafka.state = "up"
    with pytest.raises(LogUnavailable) as raised:
        await durable.check()
    assert raised.value.code == "spooling"
    await durable.publish([numbered_record(6)])
    await wait_until_drained(durable)
    assert kafka.firsts() == list(range(7))


async def test_no_mistake_ends_the_drainer(
    durable: DurableLog, kafka: FickleKafka, caplog: pytest.LogCaptureFixture
) -> None:
    kafka.state = "away"
    await durable.publish([numbered_record(0)])
    kafka.state = "broken"
    await eventually(lambda: "spool drain failed" in caplog.text)
    kafka.state = "up"
    await wait_until_drained(durable)
    assert kafka.values == [0]


async def test_broker_that_does_not_answer_is_reported_as_soon_as_events_go_to_disk(
    durable: DurableLog, kafka: FickleKafka
) -> None:
    # Within the probe's second, not when the probe itself gives up.
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
        await asyncio.gather(*(durable.publish([numbered_record(n)]) for n in group))
    kafka.state = "up"
    await wait_until_drained(durable)
    assert kafka.firsts() == list(range(next(numbers)))


async def test_more_than_one_draining_under_load(durable: DurableLog, kafka: FickleKafka) -> None:
    # Though something new always arrives, the spool comes to its end.
    kafka.state = "away"
    await durable.publish([numbered_record(n) for n in range(1_300)])
    kafka.state = "up"
    sent = 1_300
    while True:
        await durable.publish([numbered_record(sent)])
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
    big = SPOOL_LIMIT - size_of([numbered_record(0, 1)]) * 2
    await durable.publish([numbered_record(0, big)])
    with pytest.raises(SpoolFull):
        await durable.publish([numbered_record(1, 10_000)])
    await durable.publish([numbered_record(2)])
    kafka.state = "up"
    await wait_until_drained(durable)
    await durable.publish([numbered_record(3, 10_000)])
    assert kafka.values == [0, 2, 3]


async def test_full_is_reported(durable: DurableLog, kafka: FickleKafka) -> None:
    kafka.state = "away"
    await durable.publish([numbered_record(0, SPOOL_LIMIT - size_of([numbered_record(0, 0)]) + 1)])
    with pytest.raises(SpoolFull):
        await durable.check_space()
    with pytest.raises(SpoolFull):
        await durable.publish([numbered_record(1)])
    kafka.state = "up"
    await wait_until_drained(durable)
    await durable.check_space()


async def test_what_was_left_is_drained_by_the_next(kafka: FickleKafka, tmp_path: Path) -> None:
    kafka.state = "away"
    first = create_log(kafka, tmp_path)
    async with first.open():
        await asyncio.gather(*(first.publish([numbered_record(n)]) for n in range(20)))
    kafka.state = "up"
    second = create_log(kafka, tmp_path)
    async with second.open():
        await second.publish([numbered_record(20)])
        await wait_until_drained(second)
    assert kafka.values == list(range(21))


async def test_who_waits_is_answered_at_the_end(kafka: FickleKafka, tmp_path: Path) -> None:
    kafka.state = "frozen"
    durable = create_log(kafka, tmp_path)
    async with durable.open():
        waiting = asyncio.create_task(durable.publish([numbered_record(1)]))
        await asyncio.sleep(0)
    await waiting
