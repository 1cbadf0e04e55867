"""Rotation of the embedded broker, which never frees memory: past a limit an empty one takes its place.

Everything else goes on meanwhile. Ingest only spools, the stages stop as at an end, and the records
that are not consumed are carried over.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from deploy.local.errors import NotReady
from deploy.local.log_backup import LogBackup
from deploy.local.process import Child
from deploy.local.screen import Screen
from ingest_service.durable.circuit_breaker import PAUSE_FILE
from shared.errors import LogUnavailable

READERS = ("projector", "sender")
WATCH_SECONDS = 1.0
PAUSE_SECONDS = (
    15.0  # until ingest reports that nothing is under way any more; its probe checks every second
)
RETRY_SECONDS = 0.5
AGAIN_SECONDS = 60.0  # after a rotation that failed
GROWTH = (
    1.5  # the next rotation at the earliest: the records carried over may be large by themselves
)
MIB = 1024 * 1024


class PublishingPause:
    """Pause of ingest's publishing: a file that demands it, and the health report that confirms it."""

    def __init__(self, data: Path, client: httpx.AsyncClient, ready_url: str) -> None:
        self._file = data / PAUSE_FILE
        self._client = client
        self._url = ready_url

    async def begin(self) -> None:
        """Demand the pause; return when ingest only spools. Raises NotReady."""
        try:
            self._file.touch()
        except OSError as exc:
            raise NotReady(f"{self._file}: {exc.strerror}") from exc
        deadline = time.monotonic() + PAUSE_SECONDS
        while not await self._is_paused():
            if time.monotonic() > deadline:
                raise NotReady("ingest does not report that it has paused publishing")
            await asyncio.sleep(WATCH_SECONDS / 10)

    async def _is_paused(self) -> bool:
        try:
            report = (await self._client.get(self._url)).json()
        except (httpx.HTTPError, ValueError):
            return False
        return any(part["error"] == "publishing_paused" for part in report["dependencies"])

    def end(self) -> None:
        self._file.unlink(missing_ok=True)


@dataclass(frozen=True)
class RotationParts:
    """Parts of a rotation beside the children."""

    log: LogBackup
    pause: PublishingPause
    snapshot: Callable[[], Awaitable[None]]


class BrokerRotation:
    """Watch over the broker's memory, and rotation past the limit."""

    # `busy` is locked during a rotation: no other part may be stopped then.

    def __init__(
        self, children: Mapping[str, Child], parts: RotationParts, limit_mib: int, screen: Screen
    ) -> None:
        self._broker = children["broker"]
        self._readers = [children[name] for name in READERS if name in children]
        self._parts = parts
        self._limit = limit_mib
        self._screen = screen
        self.busy = asyncio.Lock()

    async def watch(self, grace: float) -> None:
        """Rotate the broker each time its memory passes the limit, for ever."""
        self._parts.pause.end()  # the last run may have been killed during a pause
        threshold = float(self._limit)
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            size = self._size()
            if size < threshold:
                continue
            self._screen.show(f"the broker has {size:.0f} MiB in memory: another takes its place")
            try:
                async with self.busy:
                    await self._rotate(grace)
            except (NotReady, LogUnavailable) as exc:
                self._screen.warn(f"the broker stays as it is for now: {exc}")
                await asyncio.sleep(AGAIN_SECONDS)
            threshold = max(self._limit, GROWTH * self._size())

    def _size(self) -> float:
        return self._broker.resident_bytes / MIB

    async def _rotate(self, grace: float) -> None:
        began = time.monotonic()
        try:
            await self._parts.pause.begin()
            await asyncio.gather(*(reader.pause(grace) for reader in self._readers))
            kept = await self._parts.log.save()
            await self._parts.snapshot()
            await self._replace(grace)
        finally:
            self._parts.pause.end()
            for reader in self._readers:
                reader.resume()
        await asyncio.gather(*(reader.ready.wait() for reader in self._readers))
        seconds = time.monotonic() - began
        self._screen.good(f"another broker goes on after {seconds:.1f} s, with {kept:,} records")

    async def _replace(self, grace: float) -> None:
        """Restart the broker and publish the saved records, however often that takes."""
        await self._broker.pause(grace)
        self._broker.resume()
        while True:
            await self._broker.ready.wait()
            try:
                await self._parts.log.restore()
                return
            except LogUnavailable:
                await asyncio.sleep(RETRY_SECONDS)
