"""Stores whose process dies after a write, stands still before one, or before which others act."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any


class Killed(BaseException):
    """Death of the process, after a write."""


@dataclass
class Fuse:
    """Counts writes; the process dies after the last one. `named`: only writes of this name count.

    `error`: what is raised then. With StoreUnavailable the store is away, and the process lives.
    """

    writes: int
    named: str | None = None
    error: type[BaseException] = Killed

    def burn(self, name: str) -> None:
        if self.named in (None, name):
            self.writes -= 1
            if self.writes == 0:
                raise self.error(name)


class DyingStore:
    """Store whose process dies after one of its writes."""

    def __init__(self, store: object, fuse: Fuse, writes: Sequence[str]) -> None:
        self._store = store
        self._fuse = fuse
        self._writes = writes

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if name not in self._writes:
            return found

        async def write(*args: Any, **kwargs: Any) -> Any:
            result = await found(*args, **kwargs)
            self._fuse.burn(name)
            return result

        return write


class BlockedWrites:
    """Blocks a process before its first write of a name, until it goes on."""

    def __init__(self, write: str) -> None:
        self.write = write
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()

    async def wait(self, name: str) -> None:
        if name == self.write and not self.reached.is_set():
            self.reached.set()
            await self.go_on.wait()


class BlockedStore(DyingStore):
    """Store or log whose process stands still before a write."""

    def __init__(self, store: object, blocked: BlockedWrites) -> None:
        super().__init__(store, Fuse(0), ())
        self._blocked = blocked

    def __getattr__(self, name: str) -> Any:
        found = super().__getattr__(name)
        if name != self._blocked.write:
            return found

        async def write(*args: Any, **kwargs: Any) -> Any:
            await self._blocked.wait(name)
            return await found(*args, **kwargs)

        return write


class InterruptedStore(DyingStore):
    """Store or log before whose writes somebody else acts."""

    def __init__(
        self, store: object, writes: Sequence[str], act: Callable[[str], Awaitable[None]]
    ) -> None:
        super().__init__(store, Fuse(0), ())
        self._interrupted = writes
        self._act = act

    def __getattr__(self, name: str) -> Any:
        found = super().__getattr__(name)
        if name not in self._interrupted:
            return found

        async def write(*args: Any, **kwargs: Any) -> Any:
            await self._act(name)
            return await found(*args, **kwargs)

        return write
