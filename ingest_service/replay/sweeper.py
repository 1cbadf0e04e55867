"""What a replay, or a projector, that died has left: ended, completed or removed.

Done by every projector's process, and by the next replay; so it must stand being done twice at once.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from ingest_service.projector.pause_barrier import PREFIX, SWAPPING
from ingest_service.replay.lease import ReplayLeases, after_swap
from ingest_service.replay.staging import drop_leftovers, swap
from shared.clock import Monotonic
from shared.errors import StoreUnavailable
from shared.loops import sleep_or_stop
from shared.mongo.client import Database, Document, blame_database, translate_mongo_errors

log = logging.getLogger("carillon.replay")

LOOK_SECONDS = 1.0
SWEPT_SECONDS = 5.0
GONE_SECONDS = 60.0  # a process that hasn't beaten for so long: its document goes


class Sweeper:
    """Every method raises StoreUnavailable."""

    def __init__(self, database: Database, clock: Monotonic) -> None:
        self._database = database
        self._clock = clock
        self._runs = ReplayLeases(database, clock)
        self._beats: dict[str, tuple[Any, float]] = {}

    async def watch(self, stop: asyncio.Event) -> None:
        swept: float | None = None
        while not stop.is_set():
            try:
                with blame_database():
                    ended = await self.look()
                    if ended or swept is None or self._clock() - swept >= SWEPT_SECONDS:
                        await self.sweep()
                        swept = self._clock()
            except StoreUnavailable as exc:
                log.debug("not swept", extra=exc.log_fields)
            await sleep_or_stop(stop, LOOK_SECONDS)

    async def look(self) -> bool:
        """End a run that is gone."""
        found = await self._runs.expired()
        return found is not None and await end_run(self._runs, self._database, found)

    async def sweep(self) -> None:
        await drop_leftovers(self._database, self._runs.current)
        await self._forget_processes()

    async def _forget_processes(self) -> None:
        now = self._clock()
        with translate_mongo_errors():
            found = [d async for d in self._runs.documents.find({})]
            processes = [d for d in found if d["_id"].startswith(PREFIX)]
            known = self._beats
            self._beats = {
                p["_id"]: known[p["_id"]]
                if known.get(p["_id"], (None,))[0] == p["beat"]
                else (p["beat"], now)
                for p in processes
            }
            for process in processes:
                if now - self._beats[process["_id"]][1] > GONE_SECONDS:
                    same = {"_id": process["_id"], "beat": process["beat"]}
                    await self._runs.documents.delete_one(same)


async def end_run(runs: ReplayLeases, database: Database, found: Document) -> bool:
    """Of a run that doesn't beat any more; False where it does, or somebody else was faster.

    Its collections have names of their own: should it only have slept, it finds nothing to rename.
    """
    mine = {"run": found["run"], "beat": found["beat"], "phase": found["phase"]}
    if found["phase"] != SWAPPING:
        log.warning("a replay was cut off: the projectors go on")
        return await runs.change(mine, run=None, phase=None)
    if not await runs.change(mine):
        return False
    await swap(database, found["run"])
    await runs.change({"run": found["run"]}, **after_swap(found["generation"]))
    log.warning("a swap that was cut off is complete")
    return True
