"""The pause barrier: projectors pause while a replay swaps the collections.

One document names the run with the lease: `{run, phase, beat, generation}`. Each process writes a
heartbeat of its own, with the run that it has paused for. It pauses only between two batches, with the
last one's offsets committed: a replay reads the log up to them. No projector continues by a clock: an
expired run is ended in the document first (`replay.sweeper`). A batch during a pause or swap (its process
was frozen, and taken for dead) isn't committed, but repeated.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Protocol, cast

from ingest_service.projector.replay_state import ReplayFields, ReplayState
from shared.errors import StoreUnavailable
from shared.loops import run_periodically
from shared.mongo.client import Database, blame_database
from shared.mongo.collections import PROJECTOR_META

REPLAY_DOCUMENT = "replay"
PROCESS_ID_PREFIX = "process:"
BARRIER_HEARTBEAT_SECONDS = 0.5
BUILDING, PAUSING, SWAPPING = "building", "pausing", "swapping"
PAUSED = frozenset({PAUSING, SWAPPING})


class Progress(Protocol):
    """The progress of a stage."""

    @property
    def under_way(self) -> bool: ...

    @property
    def uncommitted(self) -> bool: ...


class PauseBarrier:
    """The pause barrier of one process."""

    def __init__(self, database: Database, name: str) -> None:
        self._documents = database[PROJECTOR_META.name]
        self._name = PROCESS_ID_PREFIX + name
        self._stage: Progress | None = None
        self._busy = False
        self._refused = False  # the batch under way waits for the end of the pause
        self._run: str | None = None
        self._generation = 0
        self._beat = 0

    def attach(self, stage: Progress) -> None:
        """Attach the stage whose batches the barrier pauses."""
        self._stage = stage

    @asynccontextmanager
    async def batch(self) -> AsyncIterator[None]:
        """Guard a batch. Raises StoreUnavailable during a pause, or if its writes may be lost."""
        self._refused = self._run is not None
        if self._refused:
            raise _paused()
        generation = self._generation
        self._busy = True
        try:
            yield
            found = await self._read()
            if found.phase in PAUSED or found.generation != generation:
                raise _paused()
        finally:
            self._busy = False

    async def watch(self, stop: asyncio.Event) -> None:
        await run_periodically(self._try_poll, BARRIER_HEARTBEAT_SECONDS, stop)
        with suppress(StoreUnavailable), blame_database():
            await self._documents.delete_one({"_id": self._name})

    async def _try_poll(self) -> None:
        with suppress(StoreUnavailable):  # then the replay can't read or write either
            await self.poll()

    async def join(self) -> None:
        """Write a heartbeat, then read the replay's document again."""
        # So a replay that pauses at this moment either finds this process, or is found by it.
        await self.poll()
        await self.poll()

    async def poll(self) -> None:
        """Read the replay's document, and write a heartbeat."""
        found = await self._read()
        self._run = found.run if found.phase in PAUSED else None
        self._generation = found.generation
        self._beat += 1
        heartbeat = {"beat": self._beat, "paused": self._run if self._is_paused() else None}
        with blame_database():
            await self._documents.replace_one({"_id": self._name}, heartbeat, upsert=True)

    def _is_paused(self) -> bool:
        if self._busy or self._stage is None:
            return not self._busy
        return not self._stage.uncommitted and (self._refused or not self._stage.under_way)

    async def _read(self) -> ReplayState:
        with blame_database():
            found = await self._documents.find_one({"_id": REPLAY_DOCUMENT})
        return ReplayState.of(cast(ReplayFields, found or {}))


def _paused() -> StoreUnavailable:
    return StoreUnavailable("a replay has paused the projectors", code="replaying")
