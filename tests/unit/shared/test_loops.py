"""Tests of periodic loops: how often they step, what ends them, and what their component reports."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from shared.errors import Rejected, StoreUnavailable, Unavailable
from shared.health import Component
from shared.loops import run_periodically
from tests.support.virtual_time import VirtualLoop, in_virtual_time


class CountedSteps:
    """A step that notes its times, takes `seconds`, has each of `outcomes` and then stops the loop."""

    def __init__(
        self, loop: VirtualLoop, *outcomes: Exception | None, seconds: float = 0.0
    ) -> None:
        self._loop = loop
        self._outcomes = list(outcomes)
        self._seconds = seconds
        self.stop = asyncio.Event()
        self.times: list[float] = []
        self.errors: list[str | None] = []
        self.component = Component(
            "loop:work", 60.0, False, lambda: datetime(2026, 11, 22, tzinfo=UTC), loop.time
        )

    async def step(self) -> None:
        self.times.append(self._loop.time())
        self.errors.append(self.component.error)
        outcome = self._outcomes.pop(0)
        if not self._outcomes:
            self.stop.set()
        await asyncio.sleep(self._seconds)
        if outcome is not None:
            raise outcome


def test_steps_come_so_long_after_the_end_of_the_last_one() -> None:
    async def test(loop: VirtualLoop) -> list[float]:
        work = CountedSteps(loop, None, None, None, seconds=0.5)
        await run_periodically(work.step, 2.0, work.stop)
        return work.times

    assert in_virtual_time(test) == pytest.approx([0.0, 2.5, 5.0])


def test_pause_may_change_from_step_to_step() -> None:
    async def test(loop: VirtualLoop) -> list[float]:
        work, pauses = CountedSteps(loop, None, None, None, None), iter([0.1, 1.0, 3.0, 9.0])
        await run_periodically(work.step, lambda: next(pauses), work.stop)
        return work.times

    assert in_virtual_time(test) == pytest.approx([0.0, 0.1, 1.1, 4.1])


def test_stop_ends_a_pause_at_once_and_begins_no_step() -> None:
    async def test(loop: VirtualLoop) -> tuple[list[float], float]:
        work = CountedSteps(loop, None, None)
        running = asyncio.create_task(run_periodically(work.step, 60.0, work.stop))
        await asyncio.sleep(5.0)
        work.stop.set()
        await running
        await run_periodically(work.step, 60.0, work.stop)
        return work.times, loop.time()

    times, ended = in_virtual_time(test)
    assert times == [0.0] and ended == pytest.approx(5.0)


def test_component_waits_for_what_is_away_and_the_loop_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    away = StoreUnavailable("MongoDB is away")

    async def test(loop: VirtualLoop) -> CountedSteps:
        work = CountedSteps(loop, None, away, away, None, None)
        await run_periodically(work.step, 1.0, work.stop, work.component)
        return work

    work = in_virtual_time(test)
    assert work.times == pytest.approx([0.0, 1.0, 2.0, 3.0, 4.0])
    assert work.errors == ["starting", None, away.reason, away.reason, None]
    assert work.component.error is None
    warnings = [r for r in caplog.records if r.message == "dependency unwell"]
    assert [r.__dict__["component"] for r in warnings] == ["loop:work"]


@pytest.mark.parametrize("error", [Rejected("wrong key"), ValueError("a mistake")])
def test_another_error_ends_the_loop(error: Exception) -> None:
    async def test(loop: VirtualLoop) -> None:
        work = CountedSteps(loop, error, None)
        await run_periodically(work.step, 1.0, work.stop, work.component)

    with pytest.raises(type(error)):
        in_virtual_time(test)


def test_without_a_component_what_is_away_ends_the_loop() -> None:
    async def test(loop: VirtualLoop) -> None:
        work = CountedSteps(loop, StoreUnavailable("MongoDB is away"), None)
        await run_periodically(work.step, 1.0, work.stop)

    with pytest.raises(Unavailable):
        in_virtual_time(test)
