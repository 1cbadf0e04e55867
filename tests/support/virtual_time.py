"""Event loop whose time passes only while it waits."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _JumpingSelector(selectors.DefaultSelector):
    """Selector that advances its time instead of waiting."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is not None:
            self.passed += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """Event loop whose timers come due in order and at once."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.passed

    def stall(self, seconds: float) -> None:
        """Advance the time as a busy loop does."""
        self._jumping.passed += seconds


def in_virtual_time(test: Callable[[VirtualLoop], Coroutine[Any, Any, T]]) -> T:
    """Run a test on a virtual loop of its own; return its result."""
    loop = VirtualLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(test(loop))
