"""The embedded broker never frees memory: past a limit an empty one takes its place, while all goes on.

Ingest is told to spool, the stages stop as they do at an end, what is not consumed is carried over.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from deploy.local.errors import NotReady
from deploy.local.log_backup import CarryOver
from deploy.local.process import Child
from deploy.local.screen import Screen
from ingest_service.durable.circuit_breaker import PAUSE_FILE
from shared.errors import LogUnavailable

READERS = ("projector", "sender")
WATCH_SECONDS = 1.0
HELD_SECONDS = (
    15.0  # until ingest says that nothing is under way any more; its probe looks every second
)
RETRY_SECONDS = 0.5
AGAIN_SECONDS = 60.0  # after a roll that could not be
GROWTH = 1.5  # the next one at the earliest: what was carried over may be large by itself
MIB = 1024 * 1024


class Hold:
    """A file that tells ingest to publish nothing, and its word that it doesn't."""

    def __init__(self, data: Path, client: httpx.AsyncClient, ready_url: str) -> None:
        self._file = data / PAUSE_FILE
        self._client = client
        self._url = ready_url

    async def take(self) -> None:
        """Returns when ingest only spools. Raises NotReady."""
        try:
            self._file.touch()
        except OSError as exc:
            raise NotReady(f"{self._file}: {exc.strerror}") from exc
        deadline = time.monotonic() + HELD_SECONDS
        while not await self._is_held():
            if time.monotonic() > deadline:
                raise NotReady("ingest does not say that it holds the log")
            await asyncio.sleep(WATCH_SECONDS / 10)

    async def _is_held(self) -> bool:
        try:
            report = (await self._client.get(self._url)).json()
        except (httpx.HTTPError, ValueError):
            return False
        return any(part["error"] == "log_held" for part in report["dependencies"])

    def release(self) -> None:
        self._file.unlink(missing_ok=True)


@dataclass(frozen=True)
class Exchange:
    """What it takes beside the children."""

    log: CarryOver
    hold: Hold
    snapshot: Callable[[], Awaitable[None]]


class Roller:
    """Watches the broker's memory. `busy` is held while it is exchanged: nothing else may stop then."""

    def __init__(
        self, children: Mapping[str, Child], exchange: Exchange, limit_mib: int, screen: Screen
    ) -> None:
        self._broker = children["broker"]
        self._readers = [children[name] for name in READERS if name in children]
        self._exchange = exchange
        self._limit = limit_mib
        self._screen = screen
        self.busy = asyncio.Lock()

    async def watch(self, grace: float) -> None:
        """For ever."""
        self._exchange.hold.release()  # the last run may have been killed while it held
        threshold = float(self._limit)
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            size = self._size()
            if size < threshold:
                continue
            self._screen.show(f"the broker has {size:.0f} MiB in memory: another takes its place")
            try:
                async with self.busy:
                    await self._roll(grace)
            except (NotReady, LogUnavailable) as exc:
                self._screen.warn(f"the broker stays as it is for now: {exc}")
                await asyncio.sleep(AGAIN_SECONDS)
            threshold = max(self._limit, GROWTH * self._size())

    def _size(self) -> float:
        return self._broker.resident_bytes / MIB

    async def _roll(self, grace: float) -> None:
        began = time.monotonic()
        try:
            await self._exchange.hold.take()
            await asyncio.gather(*(reader.pause(grace) for reader in self._readers))
            kept = await self._exchange.log.save()
            await self._exchange.snapshot()
            await self._replace(grace)
        finally:
            self._exchange.hold.release()
            for reader in self._readers:
                reader.resume()
        await asyncio.gather(*(reader.ready.wait() for reader in self._readers))
        seconds = time.monotonic() - began
        self._screen.good(f"another broker goes on after {seconds:.1f} s, with {kept:,} records")

    async def _replace(self, grace: float) -> None:
        """From here on what was saved is the log: it is published however often that takes."""
        await self._broker.pause(grace)
        self._broker.resume()
        while True:
            await self._broker.ready.wait()
            try:
                await self._exchange.log.restore()
                return
            except LogUnavailable:
                await asyncio.sleep(RETRY_SECONDS)
