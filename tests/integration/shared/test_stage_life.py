"""Stages that are killed, stopped, joined by others, or find nothing but poison."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from shared.kafka.client import partition_of
from shared.settings import Settings
from shared.stage.poison_throttle import POISON_LIMIT, SLOW_UNIT_SECONDS
from tests.integration.shared.stages import ScriptedHandler, open_bench
from tests.support import stack
from tests.support.stack import eventually

# Keys of one partition each, of two.
ONE, OTHER = (next(k for k in "abcdefgh" if partition_of(k.encode(), 2) == n) for n in (0, 1))


async def killed_and_stopped(settings: Settings) -> None:
    """Killed between handling and committing; then stopped with one unit that ends in time, and one
    that doesn't."""
    async with open_bench(settings, partitions=2) as bench:
        work = ScriptedHandler()
        async with bench.stage(work) as running:
            await bench.publish("first", key=ONE)
            await eventually(lambda: "first" in work.done, 30)
            await bench.publish("second", key=ONE)  # with it the first is committed
            await eventually(lambda: "second" in work.done)
            await bench.publish("wait a", key=ONE)
            await eventually(lambda: "wait a" in work.seen)
            await running.kill()

        again = ScriptedHandler()
        async with bench.stage(again, in_flight=2) as running:
            await eventually(lambda: "wait a" in again.seen, 30)
            assert "first" not in again.seen
            await bench.publish("hang b", key=OTHER)
            await eventually(lambda: "hang b" in again.seen)
            asyncio.get_running_loop().call_later(0.3, again.may_proceed.set)
            assert 0.9 < await running.end() < 4
            assert again.done[-1] == "wait a"

        last = ScriptedHandler()
        async with bench.stage(last):
            await eventually(lambda: "hang b" in last.seen, 30)
            assert not any("wait a" in value for value in last.seen)


async def joined_and_left(settings: Settings) -> None:
    async with open_bench(settings, partitions=3) as bench:
        one, two = ScriptedHandler(), ScriptedHandler()
        expected = [f"v{n}" for n in range(400)]

        async def publish() -> None:
            for start in range(0, 400, 10):
                await bench.publish(*expected[start : start + 10])
                await asyncio.sleep(0.1 if start < 200 else 0)

        async with bench.stage(one, batch_records=7, in_flight=3) as first:
            await bench.publish("hello")
            await eventually(lambda: "hello" in one.done, 30)
            publishing = asyncio.create_task(publish())
            async with bench.stage(two, batch_records=7, in_flight=3):
                await publishing
                await eventually(lambda: set(expected) <= set(one.done) | set(two.done), 40)
                share = [f"w{n}" for n in range(30)]
                await bench.publish(*share)
                await eventually(lambda: set(share) <= set(one.done) | set(two.done), 20)
                assert set(share) & set(one.done) and set(share) & set(two.done)
                await first.end()
                tail = [f"x{n}" for n in range(30)]
                await bench.publish(*tail)
                await eventually(lambda: set(tail) <= set(two.done), 40)
        repeated = Counter(one.done + two.done)
        assert sum(n - 1 for n in repeated.values()) <= 3 * 7 * 2 * 3  # units under way, once each


async def only_poison(settings: Settings) -> None:
    async with open_bench(settings, partitions=1) as bench:
        work, more = ScriptedHandler(), POISON_LIMIT + 1_100  # three units more
        await bench.publish(*(f"poison {n}" for n in range(POISON_LIMIT)))
        async with bench.stage(work, batch_records=500):
            name = f"stage:{bench.name}"

            def is_reported() -> bool:
                (entry,) = [e for e in _entries(bench.health.report()[1]) if e["name"] == name]
                return entry["error"] == "only_poison"

            await eventually(is_reported, 40)
            assert bench.health.alive
            began = time.monotonic()
            await bench.publish(*(f"poison {n}" for n in range(POISON_LIMIT, more)), "good", "on")
            await eventually(lambda: work.done == ["good", "on"], 40)  # by itself, but slowly
            assert time.monotonic() - began > 2 * SLOW_UNIT_SECONDS
            await eventually(lambda: not is_reported())
        assert len(await bench.dead_letters()) == more


def _entries(body: dict[str, object]) -> list[dict[str, object]]:
    found = body["dependencies"]
    assert isinstance(found, list)
    return found


@pytest.fixture(scope="module")
async def lives(
    broker: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[str, asyncio.Task[None]]]:
    """Run all lives at once: most of their time is waiting for the broker to form groups."""
    settings = stack.settings_for(broker, "mongodb://unused", tmp_path_factory.mktemp("stage"))
    tasks = {
        life.__name__: asyncio.create_task(life(settings))
        for life in (killed_and_stopped, joined_and_left, only_poison)
    }
    yield tasks
    await asyncio.gather(*tasks.values(), return_exceptions=True)


Lives = dict[str, asyncio.Task[None]]


async def test_what_was_not_committed_comes_again(lives: Lives) -> None:
    await lives["killed_and_stopped"]


async def test_second_member_takes_its_share_and_nothing_is_lost(lives: Lives) -> None:
    await lives["joined_and_left"]


async def test_only_poison_slows_the_stage_down_until_a_good_record_comes(lives: Lives) -> None:
    await lives["only_poison"]
