"""Records published here and there go out in groups, and everybody learns what became of theirs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest

from shared.errors import LogUnavailable
from shared.kafka.batches import BatchWriter, CoalescingWriter
from shared.kafka.records import OutgoingRecord


class Broker:
    """Takes a batch when it is let; remembers what came together."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.let = asyncio.Event()
        self.broken = False

    async def publish(self, records: Sequence[OutgoingRecord], seconds: float) -> None:
        self.batches.append([record.value.decode() for record in records])
        await self.let.wait()
        if self.broken:
            raise LogUnavailable("away")


def _writer(broker: Broker) -> CoalescingWriter:
    return CoalescingWriter(cast(BatchWriter, broker), 1.0)


def _record(name: str) -> OutgoingRecord:
    return OutgoingRecord("t", "k", name.encode(), "x")


async def _begun(writer: CoalescingWriter, *names: str) -> list[asyncio.Task[Any]]:
    tasks = [asyncio.create_task(writer.publish(_record(name))) for name in names]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def test_what_comes_meanwhile_goes_together_and_in_order() -> None:
    broker = Broker()
    writer = _writer(broker)
    first = await _begun(writer, "a")
    rest = await _begun(writer, "b", "c")
    assert not any(task.done() for task in [*first, *rest])
    broker.let.set()
    await asyncio.gather(*first, *rest)
    assert broker.batches == [["a"], ["b", "c"]]


async def test_a_failure_is_its_batchs_alone() -> None:
    broker = Broker()
    broker.broken = True
    writer = _writer(broker)
    first = await _begun(writer, "a", "b")
    broker.let.set()
    results = await asyncio.gather(*first, return_exceptions=True)
    assert [type(one) for one in results] == [LogUnavailable, LogUnavailable]
    broker.broken = False
    await writer.publish(_record("c"))


async def test_who_gives_up_costs_the_others_nothing() -> None:
    broker = Broker()
    writer = _writer(broker)
    gone, stays = await _begun(writer, "a", "b")
    gone.cancel()
    broker.let.set()
    await stays
    with pytest.raises(asyncio.CancelledError):
        await gone
