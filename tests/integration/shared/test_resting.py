"""Stages that fetch seldom while nothing comes, and at once what their own process publishes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial

from shared.clock import utc_now
from shared.health import Health
from shared.settings import Settings
from shared.stage.runner import Stage, StageContext
from tests.integration.shared.stages import ScriptedHandler, open_bench
from tests.support.stack import eventually

LONG_MS = 600_000


def is_done(work: ScriptedHandler, value: str) -> bool:
    return value in work.done


async def test_d8_a_resting_stage_is_called_by_its_own_process(settings: Settings) -> None:
    async with open_bench(settings) as bench:
        calm = replace(bench, kafka=bench.kafka.model_copy(update={"rest_ms": LONG_MS}))
        work = ScriptedHandler()
        async with calm.stage(work, can_rest=True):
            for value in ("a", "b", "c"):
                await calm.publish(value)
                await eventually(partial(is_done, work, value), 20)
                await asyncio.sleep(2.2)  # longer than it stays busy: it rests again
        assert sorted(work.done) == ["a", "b", "c"]


async def test_d8_what_others_publish_comes_within_the_rest(settings: Settings) -> None:
    async with open_bench(settings) as bench, open_bench(settings) as other:
        calm = replace(bench, kafka=bench.kafka.model_copy(update={"rest_ms": 300}))
        work = ScriptedHandler()
        async with calm.stage(work, can_rest=True):
            await replace(other, topic=bench.topic).publish("x")
            await eventually(lambda: work.done == ["x"], 20)


async def test_d2_a_stage_has_read_also_where_it_has_no_partition(settings: Settings) -> None:
    """More members than partitions: the last one was assigned nothing."""
    async with open_bench(settings, partitions=1) as bench:
        context = StageContext(
            bench.kafka, bench.writer, bench.log_id, utc_now, Health(utc_now, lambda: 0.0)
        )
        stop = asyncio.Event()
        stages = [Stage(bench.spec(ScriptedHandler()), context) for _ in range(3)]
        assert not any(stage.has_read for stage in stages)
        running = [asyncio.create_task(stage.run(stop)) for stage in stages]
        try:
            await eventually(lambda: all(stage.has_read for stage in stages), 60)

            async def is_shared_out() -> bool:
                # A member that joins late takes the partition from all until it is assigned anew.
                behind = [await stage.behind(bench.topic) for stage in stages]
                return sorted(map(repr, behind)) == ["{0: 0}", "{}", "{}"]

            await eventually(is_shared_out, 60)
        finally:
            stop.set()
            await asyncio.gather(*running)


async def test_d3_how_far_a_stage_is_behind(settings: Settings) -> None:
    async with open_bench(settings, partitions=2) as bench:
        context = StageContext(
            bench.kafka, bench.writer, bench.log_id, utc_now, Health(utc_now, lambda: 0.0)
        )
        stop, work = asyncio.Event(), ScriptedHandler()
        stage = Stage(bench.spec(work), context)
        assert await stage.behind(bench.topic) == {}
        running = asyncio.create_task(stage.run(stop))
        try:
            await eventually(lambda: stage.has_read, 60)
            assert await stage.behind(bench.topic) == {0: 0, 1: 0}
            await bench.publish("wait")
            await eventually(lambda: work.seen, 20)
            await asyncio.sleep(0.3)
            behind = await stage.behind(bench.topic)
            assert behind is not None
            assert sorted(behind.values())[0] == 0
            assert 300 <= sorted(behind.values())[1] < 20_000
            work.may_proceed.set()

            async def is_at_the_end() -> bool:
                return await stage.behind(bench.topic) == {0: 0, 1: 0}

            await eventually(is_at_the_end, 10)
        finally:
            stop.set()
            await running
