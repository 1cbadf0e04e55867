"""Loops: a step every so often, a wake-up between loops of one process, a sleep that a stop ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from shared.errors import Unavailable
from shared.health import Component


class Wakeup:
    """Wake-up of a loop by another one. A notification while no loop waits is kept."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def notify(self) -> None:
        self._event.set()

    async def wait(self, seconds: float) -> bool:
        """Wait for a notification, at most so long. Return whether it came."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._event.wait()
        is_notified = self._event.is_set()
        self._event.clear()
        return is_notified


async def sleep_or_stop(stop: asyncio.Event, seconds: float) -> None:
    """Sleep for so long, or until `stop`."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()


async def run_periodically(
    step: Callable[[], Awaitable[object]],
    seconds: float | Callable[[], float],
    stop: asyncio.Event,
    component: Component | None = None,
) -> None:
    """Run `step` until `stop`, with so many seconds between the end of one and the next.

    A `component` beats after each step. Where a step finds something unavailable, the component waits
    for it, and the loop goes on. Every other error ends it; without a component that one does, too.
    """
    while not stop.is_set():
        try:
            await step()
        except Unavailable as exc:
            if component is None:
                raise
            component.wait_for(exc)
        else:
            if component is not None:
                component.beat()
        await sleep_or_stop(stop, seconds() if callable(seconds) else seconds)
