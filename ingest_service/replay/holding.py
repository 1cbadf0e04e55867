"""Holds the projectors of all processes still, and lets them go on."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from ingest_service.projector.hold import HOLD, PREFIX, SWAPPING
from shared.clock import monotonic
from shared.collections import PROJECTOR
from shared.errors import Conflict
from shared.mongo import Database, translate_mongo_errors

BEAT_SECONDS = 1.0
LOOK_SECONDS = 0.25
DEAD_SECONDS = 4.0  # a process that hasn't beaten for this long, while we looked
PATIENCE_SECONDS = 120.0  # a batch waits for its own writes at most


class Holder:
    """Every method raises StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._documents = database[PROJECTOR.name]

    async def generation(self) -> int:
        return int((await self._read()).get("generation", 0))

    async def is_swapping(self) -> bool:
        """A replay was cut off in the middle of its swap."""
        found = await self._read()
        return found.get("token") is not None and found.get("phase") == SWAPPING

    @asynccontextmanager
    async def held(self, generation: int) -> AsyncIterator[None]:
        """All projectors stand still. Raises Conflict where one doesn't obey."""
        token = uuid.uuid4().hex
        beating = asyncio.create_task(self._keep(token))
        try:
            await self._until_obeyed(token)
            yield
            await self._set(generation=generation, token=None, phase=None)
        except BaseException:
            if not await self.is_swapping():
                await self._set(token=None, phase=None)
            raise
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)

    async def begin_swap(self) -> None:
        """From here only the end of the swap makes things whole."""
        await self._set(phase=SWAPPING)

    async def release(self, generation: int) -> None:
        await self._set(generation=generation, token=None, phase=None)

    async def _keep(self, token: str) -> None:
        await self._set(token=token, phase="holding")
        while True:
            with translate_mongo_errors():
                await self._documents.update_one({"_id": HOLD}, {"$inc": {"beat": 1}})
            await asyncio.sleep(BEAT_SECONDS)

    async def _until_obeyed(self, token: str) -> None:
        began = monotonic()
        beats: dict[str, tuple[Any, float]] = {}
        while monotonic() - began < PATIENCE_SECONDS:
            with translate_mongo_errors():
                found = [d async for d in self._documents.find({}) if d["_id"].startswith(PREFIX)]
            now = monotonic()
            for process in found:
                if beats.get(process["_id"], (None, 0))[0] != process["beat"]:
                    beats[process["_id"]] = (process["beat"], now)
            living = [p for p in found if now - beats[p["_id"]][1] < DEAD_SECONDS]
            if all(p["held"] == token for p in living) and now - began > LOOK_SECONDS * 4:
                return
            await asyncio.sleep(LOOK_SECONDS)
        raise Conflict("a projector doesn't stand still: it is at a batch", code="not_held")

    async def _read(self) -> dict[str, Any]:
        with translate_mongo_errors():
            return await self._documents.find_one({"_id": HOLD}) or {}

    async def _set(self, **fields: Any) -> None:
        with translate_mongo_errors():
            await self._documents.update_one(
                {"_id": HOLD}, {"$set": fields, "$inc": {"beat": 1}}, upsert=True
            )
