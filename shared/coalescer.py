"""Coalescing: what is added while earlier items are being stored is stored next, together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Generic, NamedTuple, TypeVar

from shared.errors import LogUnavailable

T = TypeVar("T")


class Pending(NamedTuple, Generic[T]):
    """An item that isn't stored yet, and the future that its caller waits for."""

    item: T
    stored: asyncio.Future[None]
    since: float  # by the loop's clock


def confirm(pending: Iterable[Pending[T]]) -> None:
    """Let the callers go on; those that were refused or cancelled are left alone."""
    for one in pending:
        if not one.stored.done():
            one.stored.set_result(None)


def refuse(pending: Iterable[Pending[T]], error: LogUnavailable) -> None:
    """Raise the error in the callers."""
    for one in pending:
        if not one.stored.done():
            one.stored.set_exception(error)


class Coalescer(Generic[T]):
    """Stores items in the order in which they are added, all that wait at once.

    `store` gets them while `lock` is held. It raises LogUnavailable where none is stored, and may refuse
    some by itself. Between two calls at least `interval_seconds` pass; a single item doesn't wait.
    """

    def __init__(
        self,
        store: Callable[[Sequence[Pending[T]]], Awaitable[None]],
        interval_seconds: float = 0.0,
    ) -> None:
        self.lock = asyncio.Lock()
        self._store = store
        self._interval = interval_seconds
        self._waiting: list[Pending[T]] = []
        self._flushing: asyncio.Task[None] | None = None
        self._flushed = 0.0  # time when the last flush began, by the loop's clock

    async def add(self, item: T) -> None:
        """Return once the item is stored. Raises LogUnavailable."""
        loop = asyncio.get_running_loop()
        stored = loop.create_future()
        self._waiting.append(Pending(item, stored, loop.time()))
        if self._flushing is None:
            self._flushing = loop.create_task(self._flush())
        await stored

    async def finish(self) -> None:
        """Wait until nothing is being stored."""
        if self._flushing is not None:
            await asyncio.gather(self._flushing, return_exceptions=True)

    async def _flush(self) -> None:
        try:
            while self._waiting:
                if self._interval:
                    await self._linger()
                async with self.lock:
                    taken, self._waiting = self._waiting, []
                    try:
                        await self._store(taken)
                        confirm(taken)
                    except LogUnavailable as exc:
                        refuse(taken, exc)
                    except BaseException:
                        refuse(taken, LogUnavailable("interrupted"))
                        raise
        finally:
            self._flushing = None

    async def _linger(self) -> None:
        """Wait until the interval since the last flush is over."""
        now = asyncio.get_running_loop().time()
        if self._flushed + self._interval > now:
            await asyncio.sleep(self._flushed + self._interval - now)
            now = self._flushed + self._interval
        self._flushed = now
