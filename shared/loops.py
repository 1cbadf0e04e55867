"""Waiting: a wake-up call between loops of one process, a pause that a stop ends."""

from __future__ import annotations

import asyncio
import contextlib


class Wakeup:
    """`call` wakes whoever waits; a call while nobody waits is kept."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def notify(self) -> None:
        self._event.set()

    async def wait(self, seconds: float) -> bool:
        """Wait until called, at most so long; return whether it was called."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._event.wait()
        is_called = self._event.is_set()
        self._event.clear()
        return is_called


async def sleep_or_stop(stop: asyncio.Event, seconds: float) -> None:
    """Sleep, but not through a stop."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
