"""A stage that works on one unit, or waits, for longer than a member may go without a poll keeps its
membership: thrown out, it would be given everything that it has under way again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from shared.kafka import reader as kafka_reader
from shared.settings import Settings
from shared.stage import poison_throttle
from tests.integration.shared.stages import ScriptedHandler, StageHarness, open_bench
from tests.support.stack import eventually

MAX_POLL_SECONDS = 1.5
PAUSE_SECONDS = 4.0  # long enough to be thrown out, and to be seen to be


@pytest.fixture
def shares(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Collect each assignment of the group to this process's stages; polls must be frequent."""
    monkeypatch.setattr(kafka_reader, "MAX_POLL_MS", int(MAX_POLL_SECONDS * 1_000))
    monkeypatch.setattr(kafka_reader, "KEEP_SECONDS", MAX_POLL_SECONDS / 5)
    shared_out: list[object] = []
    assigned = kafka_reader._Listener.on_partitions_assigned

    async def noted(listener: kafka_reader._Listener, partitions: set[object]) -> None:
        shared_out.append(partitions)
        await assigned(listener, partitions)

    monkeypatch.setattr(kafka_reader._Listener, "on_partitions_assigned", noted)
    return shared_out


@pytest.fixture
async def bench(settings: Settings, shares: list[object]) -> AsyncIterator[StageHarness]:
    async with open_bench(settings, partitions=1) as opened:
        yield opened


async def test_busy_for_long_is_given_nothing_twice(
    bench: StageHarness, shares: list[object]
) -> None:
    work = ScriptedHandler()
    async with bench.stage(work, in_flight=1):
        await bench.publish("wait a")
        await eventually(lambda: "wait a" in work.seen, 30)
        await bench.publish("behind it")
        await asyncio.sleep(PAUSE_SECONDS)
        assert not work.done
        work.may_proceed.set()
        await eventually(lambda: work.done == ["wait a", "behind it"], 30)
        assert work.seen == ["wait a", "behind it"] and len(shares) == 1
    again = ScriptedHandler()
    async with AsyncExitStack() as opened:
        await opened.enter_async_context(bench.stage(again))
        await bench.publish("later")
        await eventually(lambda: "later" in again.done, 30)
    assert again.seen == ["later"], "both were committed by who worked on them"


async def test_slowed_down_by_poison_stays_a_member(
    bench: StageHarness, shares: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poison_throttle, "POISON_LIMIT", 3)
    monkeypatch.setattr(poison_throttle, "SLOW_UNIT_SECONDS", PAUSE_SECONDS)
    work = ScriptedHandler()
    async with bench.stage(work):
        await bench.publish("poison a", "poison b", "poison c")
        await bench.dead_letters_of("poison a", "poison b", "poison c")
        await bench.publish("good")
        await eventually(lambda: work.done == ["good"], 30)
        assert len(shares) == 1
