"""The lease of a replay: one run at a time, which pauses the projectors of all processes.

Every step is one conditional write on the document that projectors read (`projector.pause_barrier`). It
succeeds only while that document still names the run. A run without a heartbeat for EXPIRY_SECONDS, on the
reader's clock, may be ended by any process. If its swap has begun, the swap is completed instead.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import cast

from ingest_service.projector.pause_barrier import (
    BUILDING,
    PAUSING,
    PROCESS_ID_PREFIX,
    REPLAY_DOCUMENT,
    SWAPPING,
)
from ingest_service.projector.replay_state import (
    ProcessFields,
    ProjectorProcess,
    ReplayFields,
    ReplayState,
)
from shared.clock import Monotonic
from shared.errors import Conflict, StoreUnavailable
from shared.mongo.client import Database, retry_on_conflict, translate_mongo_errors
from shared.mongo.collections import PROJECTOR_META

LEASE_HEARTBEAT_SECONDS = 1.0
LEASE_POLL_SECONDS = 0.25
EXPIRY_SECONDS = 15.0
PAUSE_TIMEOUT_SECONDS = 120.0  # a batch waits for its own writes at most


class ReplayLeases:
    """The lease document of replays. Every method raises StoreUnavailable."""

    def __init__(self, database: Database, clock: Monotonic) -> None:
        self._documents = database[PROJECTOR_META.name]
        self._clock = clock
        self._seen: tuple[tuple[str | None, int] | None, float] = (None, 0.0)

    async def current(self) -> ReplayState:
        with translate_mongo_errors():
            found = await self._documents.find_one({"_id": REPLAY_DOCUMENT})
        return ReplayState.of(cast(ReplayFields, found or {}))

    async def expired(self) -> ReplayState | None:
        """Return the run without a heartbeat for EXPIRY_SECONDS of observation, if any."""
        found = await self.current()
        if found.mark != self._seen[0]:
            self._seen = (found.mark, self._clock())
        is_expired = self._clock() - self._seen[1] > EXPIRY_SECONDS
        return found if is_expired and found.run else None

    async def processes(self) -> list[ProjectorProcess]:
        with translate_mongo_errors():
            found = [d async for d in self._documents.find({})]
        stored = [d for d in found if d["_id"].startswith(PROCESS_ID_PREFIX)]
        return [ProjectorProcess.of(process) for process in cast(list[ProcessFields], stored)]

    async def forget(self, process: ProjectorProcess) -> None:
        """Delete a process's document, unless it has a new heartbeat."""
        with translate_mongo_errors():
            await self._documents.delete_one({"_id": process.id, "beat": process.beat})

    async def change(self, where: ReplayFields, fields: ReplayFields) -> bool:
        """Set fields if the document matches `where`; return whether it did."""
        with translate_mongo_errors():
            done = await self._documents.update_one(
                {"_id": REPLAY_DOCUMENT, **where},
                {"$set": fields, "$inc": {"beat": 1}},
            )
        return done.matched_count == 1

    async def acquire(self) -> ReplayLease | None:
        """Acquire the lease; None while another run has it."""
        first: ReplayFields = {"run": None, "phase": None, "beat": 0, "generation": 0}
        with translate_mongo_errors():
            await retry_on_conflict(
                lambda: self._documents.update_one(
                    {"_id": REPLAY_DOCUMENT}, {"$setOnInsert": first}, upsert=True
                )
            )
        found, name = await self.current(), uuid.uuid4().hex[:16]
        free: ReplayFields = {"run": None, "beat": found.beat}
        if found.run or not await self.change(free, {"run": name, "phase": BUILDING}):
            return None
        return ReplayLease(self, name, found.generation, self._clock)


class ReplayLease:
    """One replay's lease. Methods raise Conflict once it is lost."""

    def __init__(self, runs: ReplayLeases, name: str, generation: int, clock: Monotonic) -> None:
        self.name = name
        self.generation = generation
        self._runs = runs
        self._clock = clock
        self._is_lost = False

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        beating = asyncio.create_task(self._write_heartbeats())
        try:
            yield
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)

    def check(self) -> None:
        if self._is_lost:
            raise _lost()

    async def pause_projectors(self, dead_seconds: float) -> None:
        """Pause all projectors. Raises Conflict also if one doesn't pause in time.

        A process without a heartbeat for `dead_seconds` of observation counts as dead.
        """
        await self._step(BUILDING, PAUSING)
        began = self._clock()
        beats: dict[str, tuple[int, float]] = {}
        while self._clock() - began < PAUSE_TIMEOUT_SECONDS:
            self.check()
            found = await self._runs.processes()
            now = self._clock()
            for process in found:
                if beats.get(process.id, (None, 0))[0] != process.beat:
                    beats[process.id] = (process.beat, now)
            living = [p for p in found if now - beats[p.id][1] < dead_seconds]
            if all(p.paused == self.name for p in living) and now - began > LEASE_POLL_SECONDS * 4:
                return
            await asyncio.sleep(LEASE_POLL_SECONDS)
        raise Conflict("a projector doesn't pause: its batch is under way", code="not_paused")

    async def begin_swap(self) -> None:
        """Enter the phase of swapping, after which the swap must be completed."""
        await self._step(PAUSING, SWAPPING)

    async def end_swap(self) -> None:
        """Release the lease after the swap; another process may have done it already."""
        await self._runs.change({"run": self.name}, after_swap(self.generation))

    async def release(self) -> bool:
        """Release the lease; return False if the swap has begun.

        Then the next process that finds it completes the swap.
        """
        for phase in (BUILDING, PAUSING):
            await self._runs.change(
                {"run": self.name, "phase": phase}, {"run": None, "phase": None}
            )
        return (await self._runs.current()).run != self.name

    async def _step(self, before: str, after: str) -> None:
        if not await self._runs.change({"run": self.name, "phase": before}, {"phase": after}):
            raise _lost()

    async def _write_heartbeats(self) -> None:
        """Write heartbeats until the document names another run; a store that is away loses nothing."""
        while not self._is_lost:
            with suppress(StoreUnavailable):
                self._is_lost = not await self._runs.change({"run": self.name}, {})
            await asyncio.sleep(LEASE_HEARTBEAT_SECONDS)


def after_swap(generation: int) -> ReplayFields:
    return {"run": None, "phase": None, "generation": generation + 1}


def _lost() -> Conflict:
    return Conflict(
        "this replay has lost its lease: it had no heartbeat for too long, or was ended;"
        " the live collections are as they were",
        code="lease_lost",
    )
