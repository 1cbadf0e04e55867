"""Whose turn it is to replay: one run at a time, which holds the projectors of all processes still.

Every step is one conditional write on the document that projectors obey (`projector.hold`): it counts
only while the run is still the one named there. A run whose beat stands still for VOID_SECONDS, on
the clock of whoever looks, may be ended by anybody, unless its swap has begun: that is completed.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from ingest_service.projector.pause_barrier import BUILDING, HOLD, HOLDING, PREFIX, SWAPPING
from shared.clock import Monotonic
from shared.errors import Conflict, StoreUnavailable
from shared.mongo.client import Database, Document, retry_on_conflict, translate_mongo_errors
from shared.mongo.collections import PROJECTOR_META

BEAT_SECONDS = 1.0
LOOK_SECONDS = 0.25
VOID_SECONDS = 15.0
PATIENCE_SECONDS = 120.0  # a batch waits for its own writes at most


class ReplayLeases:
    """Every method raises StoreUnavailable."""

    def __init__(self, database: Database, clock: Monotonic) -> None:
        self.documents = database[PROJECTOR_META.name]
        self._clock = clock
        self._seen: tuple[Any, float] = (None, 0.0)

    async def current(self) -> Document:
        with translate_mongo_errors():
            return await self.documents.find_one({"_id": HOLD}) or {}

    async def expired(self) -> Document | None:
        """The run that hasn't beaten for too long, while we looked."""
        found = await self.current()
        mark = (found.get("run"), found.get("beat"))
        if mark != self._seen[0]:
            self._seen = (mark, self._clock())
        is_void = self._clock() - self._seen[1] > VOID_SECONDS
        return found if is_void and found.get("run") else None

    async def change(self, where: Document, **fields: Any) -> bool:
        """False where the document isn't as it is assumed to be."""
        with translate_mongo_errors():
            done = await self.documents.update_one(
                {"_id": HOLD, **where}, {"$set": fields, "$inc": {"beat": 1}}
            )
        return done.matched_count == 1

    async def take(self) -> ReplayLease | None:
        """None while somebody else has the turn."""
        first = {"run": None, "phase": None, "beat": 0, "generation": 0}
        with translate_mongo_errors():
            await retry_on_conflict(
                lambda: self.documents.update_one(
                    {"_id": HOLD}, {"$setOnInsert": first}, upsert=True
                )
            )
        found, name = await self.current(), uuid.uuid4().hex[:16]
        free = {"run": None, "beat": found["beat"]}
        if found.get("run") or not await self.change(free, run=name, phase=BUILDING):
            return None
        return ReplayLease(self, name, found["generation"], self._clock)


class ReplayLease:
    """One replay's turn. Raises Conflict where it has lost it."""

    def __init__(self, runs: ReplayLeases, name: str, generation: int, clock: Monotonic) -> None:
        self.name = name
        self.generation = generation
        self._runs = runs
        self._clock = clock
        self._is_lost = False

    @asynccontextmanager
    async def alive(self) -> AsyncIterator[None]:
        beating = asyncio.create_task(self._keep())
        try:
            yield
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)

    def check(self) -> None:
        if self._is_lost:
            raise _lost()

    async def hold(self, dead_seconds: float) -> None:
        """All projectors stand still. Raises Conflict also where one doesn't obey.

        `dead_seconds`: a process that hasn't beaten for so long, while we looked, isn't waited for.
        """
        await self._step(BUILDING, HOLDING)
        began = self._clock()
        beats: dict[str, tuple[Any, float]] = {}
        while self._clock() - began < PATIENCE_SECONDS:
            self.check()
            found = await self._processes()
            now = self._clock()
            for process in found:
                if beats.get(process["_id"], (None, 0))[0] != process["beat"]:
                    beats[process["_id"]] = (process["beat"], now)
            living = [p for p in found if now - beats[p["_id"]][1] < dead_seconds]
            if all(p["held"] == self.name for p in living) and now - began > LOOK_SECONDS * 4:
                return
            await asyncio.sleep(LOOK_SECONDS)
        raise Conflict("a projector doesn't stand still: it is at a batch", code="not_held")

    async def begin_swap(self) -> None:
        """From here only the end of the swap makes things whole."""
        await self._step(HOLDING, SWAPPING)

    async def end_swap(self) -> None:
        """Somebody who took us for dead may have done it: that is as well."""
        await self._runs.change({"run": self.name}, **after_swap(self.generation))

    async def give_up(self) -> bool:
        """False where the swap has begun: then it is for whoever finds it to complete."""
        for phase in (BUILDING, HOLDING):
            await self._runs.change({"run": self.name, "phase": phase}, run=None, phase=None)
        return (await self._runs.current()).get("run") != self.name

    async def _step(self, before: str, after: str) -> None:
        if not await self._runs.change({"run": self.name, "phase": before}, phase=after):
            raise _lost()

    async def _keep(self) -> None:
        """What counts is what the document says: a store that is away for a while is no loss."""
        while not self._is_lost:
            with suppress(StoreUnavailable):
                self._is_lost = not await self._runs.change({"run": self.name})
            await asyncio.sleep(BEAT_SECONDS)

    async def _processes(self) -> list[Document]:
        with translate_mongo_errors():
            every = [d async for d in self._runs.documents.find({})]
        return [d for d in every if d["_id"].startswith(PREFIX)]


def after_swap(generation: int) -> Document:
    return {"run": None, "phase": None, "generation": generation + 1}


def _lost() -> Conflict:
    return Conflict(
        "this replay has lost its turn: it stood still for too long, or somebody ended it;"
        " the live collections are as they were",
        code="turn_lost",
    )
