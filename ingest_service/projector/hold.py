"""A projector stands still while a replay puts other collections under it.

Each process writes a beat with the hold that it obeys, and obeys only between two batches. A hold
whose own beat stops is void, unless the swap has begun: then only its completion makes things whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from shared.clock import Monotonic
from shared.collections import PROJECTOR
from shared.errors import StoreUnavailable
from shared.mongo import Database, translate_mongo_errors
from shared.wakeup import pause

HOLD = "hold"
PREFIX = "process:"
BEAT_SECONDS = 0.5
VOID_SECONDS = 15.0  # without a beat of who holds
SWAPPING = "swapping"


class Hold:
    """One process's obedience."""

    def __init__(self, database: Database, name: str, clock: Monotonic) -> None:
        self._documents = database[PROJECTOR.name]
        self._name = PREFIX + name
        self._clock = clock
        self._busy = False
        self._token: str | None = None
        self._seen: tuple[Any, float] = (None, 0.0)
        self._beat = 0

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Around a batch. Raises StoreUnavailable while held."""
        if self._token is not None:
            raise StoreUnavailable("a replay holds the projectors", code="replaying")
        self._busy = True
        try:
            yield
        finally:
            self._busy = False

    async def watch(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            with suppress(StoreUnavailable):  # neither can who holds read or write then
                await self.look()
            await pause(stop, BEAT_SECONDS)
        with suppress(StoreUnavailable), translate_mongo_errors():
            await self._documents.delete_one({"_id": self._name})

    async def look(self) -> None:
        with translate_mongo_errors():
            found = await self._documents.find_one({"_id": HOLD})
            self._token = self._obeyed(found)
            self._beat += 1
            told = {"beat": self._beat, "held": None if self._busy else self._token}
            await self._documents.replace_one({"_id": self._name}, told, upsert=True)

    def _obeyed(self, found: dict[str, Any] | None) -> str | None:
        if found is None or found.get("token") is None:
            return None
        if found["beat"] != self._seen[0]:
            self._seen = (found["beat"], self._clock())
        is_void = self._clock() - self._seen[1] > VOID_SECONDS and found["phase"] != SWAPPING
        return None if is_void else str(found["token"])
