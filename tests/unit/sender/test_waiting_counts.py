"""Counts of waiting runs: a costly one is kept for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from sender_service.ops.waiting_counts import MAX_KEPT_SECONDS, WaitingCounts
from tests.support.clocks import ManualClock


@dataclass
class SlowFigures:
    """Figures whose count takes some seconds, and rises."""

    clock: ManualClock
    seconds: float
    counted: int = 0

    async def waiting(self, app: str) -> Mapping[str, int]:
        await asyncio.sleep(0)
        self.clock.advance(self.seconds)
        self.counted += 1
        return {"basket": self.counted}


async def test_a_costly_count_is_kept_for_twenty_times_as_long() -> None:
    clock = ManualClock()
    counts = WaitingCounts(SlowFigures(clock, 2.0), clock.monotonic)
    assert await counts.of_app("demo") == {"basket": 1}
    clock.advance(39)
    assert await counts.of_app("demo") == {"basket": 1}
    assert await counts.of_app("other") == {"basket": 2}
    clock.advance(2)
    assert await counts.of_app("demo") == {"basket": 3}


async def test_those_who_ask_at_the_same_time_share_a_count() -> None:
    clock = ManualClock()
    counts = WaitingCounts(SlowFigures(clock, 2.0), clock.monotonic)
    asked = await asyncio.gather(*(counts.of_app("demo") for _ in range(3)))
    assert asked == [{"basket": 1}] * 3


async def test_a_fast_count_is_not_kept_and_a_slow_one_for_a_minute() -> None:
    clock = ManualClock()
    fast = WaitingCounts(SlowFigures(clock, 0.01), clock.monotonic)
    assert [await fast.of_app("demo") for _ in range(2)] == [{"basket": 1}, {"basket": 2}]
    slow = WaitingCounts(SlowFigures(clock, 100.0), clock.monotonic)
    await slow.of_app("demo")
    clock.advance(MAX_KEPT_SECONDS)
    assert await slow.of_app("demo") == {"basket": 2}
