"""Request to stop: made by one signal, hastened by a second Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Coroutine, Iterable
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ECHO_SECONDS = 0.5  # one Ctrl-C may arrive twice: from the terminal and from `make`


class StopRequested(Exception):
    """Signal in place of a result that is no longer needed, because a stop was requested."""


class Stop:
    def __init__(self) -> None:
        self.requested = asyncio.Event()
        self.hastened = asyncio.Event()
        self._requested_at = 0.0

    def listen(self) -> None:
        loop = asyncio.get_running_loop()

        def on_signal(number: int, _: FrameType | None) -> None:
            loop.call_soon_threadsafe(self._on_signal, number)

        # Not the loop's own handlers: their removal would leave a moment in which a signal kills.
        for number in SIGNALS:
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup
                signal.signal(number, on_signal)

    def stop_listening(self) -> None:
        """Ignore signals from now on."""
        # One more Ctrl-C at the end must not spoil the exit code.
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    def _on_signal(self, number: int) -> None:
        if not self.requested.is_set():
            self._requested_at = time.monotonic()
            self.requested.set()
        elif number == signal.SIGINT and time.monotonic() - self._requested_at > ECHO_SECONDS:
            self.hastened.set()


async def unless(event: asyncio.Event, work: Coroutine[Any, Any, T]) -> T:
    """Return the result of `work`. Cancel it and raise StopRequested when the event comes first."""
    working = asyncio.create_task(work)
    waiting = asyncio.create_task(event.wait())
    try:
        await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        if not working.done():
            working.cancel()
        await asyncio.gather(working, waiting, return_exceptions=True)
    if working.cancelled():
        raise StopRequested
    return working.result()


async def all_of(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run all at once. The first failure cancels the others and is raised when they have ended."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
