"""Small honest doubles: a clock that is set by hand, a loop whose time passes only while it waits."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")
START = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


class ManualClock:
    """Wall clock and monotonic clock in one: both move only by `advance`."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self._passed = 0.0

    def __call__(self) -> datetime:
        return self._start + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        return self._passed

    def advance(self, seconds: float) -> None:
        self._passed += seconds


class _JumpingSelector(selectors.DefaultSelector):
    """Instead of waiting, it moves the time on by what it should have waited."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is not None:
            self.passed += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose timers come due in order and at once. `stall` is a loop that was busy."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.passed

    def stall(self, seconds: float) -> None:
        self._jumping.passed += seconds


def in_virtual_time(test: Callable[[VirtualLoop], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine on a loop of its own, in no time."""
    loop = VirtualLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(test(loop))
