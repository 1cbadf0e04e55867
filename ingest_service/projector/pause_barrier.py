"""A projector stands still while a replay puts other collections under it.

One document says whose turn it is: `{run, phase, beat, generation}`. Each process writes a beat of
its own with the run that it obeys, and obeys only between two batches, the last one's offsets
committed: a replay reads the log up to them. Nobody goes on because of a clock: a run that is gone is
ended in the document first (`replay.sweeper`). A batch that met a hold
or a swap all the same (its process was frozen, and taken for dead) isn't committed, but repeated.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol

from shared.errors import StoreUnavailable
from shared.loops import sleep_or_stop
from shared.mongo.client import Database, blame_database
from shared.mongo.collections import PROJECTOR_META

HOLD = "hold"
PREFIX = "process:"
BEAT_SECONDS = 0.5
BUILDING, HOLDING, SWAPPING = "building", "holding", "swapping"
PAUSED = frozenset({HOLDING, SWAPPING})


class Progress(Protocol):
    """What a stage tells of itself."""

    @property
    def under_way(self) -> bool: ...

    @property
    def uncommitted(self) -> bool: ...


class PauseBarrier:
    """One process's obedience."""

    def __init__(self, database: Database, name: str) -> None:
        self._documents = database[PROJECTOR_META.name]
        self._name = PREFIX + name
        self._stage: Progress | None = None
        self._busy = False
        self._refused = False  # the batch under way waits for us
        self._run: str | None = None
        self._generation = 0
        self._beat = 0

    def attach(self, stage: Progress) -> None:
        """Whose batches they are."""
        self._stage = stage

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Around a batch. Raises StoreUnavailable while held, and where its writes may be lost."""
        self._refused = self._run is not None
        if self._refused:
            raise _held()
        generation = self._generation
        self._busy = True
        try:
            yield
            found = await self._read()
            if found.get("phase") in PAUSED or found.get("generation", 0) != generation:
                raise _held()
        finally:
            self._busy = False

    async def watch(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            with suppress(StoreUnavailable):  # neither can who holds read or write then
                await self.look()
            await sleep_or_stop(stop, BEAT_SECONDS)
        with suppress(StoreUnavailable), blame_database():
            await self._documents.delete_one({"_id": self._name})

    async def enter(self) -> None:
        """Be known first, look afterwards: who holds either finds us, or is found."""
        await self.look()
        await self.look()

    async def look(self) -> None:
        found = await self._read()
        self._run = str(found["run"]) if found.get("phase") in PAUSED else None
        self._generation = found.get("generation", 0)
        self._beat += 1
        told = {"beat": self._beat, "held": self._run if self._is_still() else None}
        with blame_database():
            await self._documents.replace_one({"_id": self._name}, told, upsert=True)

    def _is_still(self) -> bool:
        if self._busy or self._stage is None:
            return not self._busy
        return not self._stage.uncommitted and (self._refused or not self._stage.under_way)

    async def _read(self) -> dict[str, Any]:
        with blame_database():
            return await self._documents.find_one({"_id": HOLD}) or {}


def _held() -> StoreUnavailable:
    return StoreUnavailable("a replay holds the projectors", code="replaying")
