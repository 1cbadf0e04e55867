"""Waiting: a wake-up between loops of one process, a sleep that a stop ends."""

from __future__ import annotations

import asyncio
import contextlib


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
