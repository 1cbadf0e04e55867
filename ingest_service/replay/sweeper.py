"""The sweeper: ends, completes or removes the remains of a replay or projector that died.

Every projector's process and the next replay sweep, so two may do it at once.
"""

from __future__ import annotations

import asyncio
import logging

from ingest_service.projector.pause_barrier import SWAPPING
from ingest_service.projector.replay_state import ReplayFields, ReplayState
from ingest_service.replay.lease import ReplayLeases, after_swap
from ingest_service.replay.staging import drop_leftovers, swap
from shared.clock import Monotonic
from shared.errors import StoreUnavailable
from shared.loops import run_periodically
from shared.mongo.client import Database, blame_database

log = logging.getLogger("carillon.replay")

SWEEPER_POLL_SECONDS = 1.0
SWEPT_SECONDS = 5.0
GONE_SECONDS = 60.0  # without a heartbeat, after which a process's document is deleted


class Sweeper:
    """The sweeper of one process. Every method raises StoreUnavailable."""

    def __init__(self, database: Database, clock: Monotonic) -> None:
        self._database = database
        self._clock = clock
        self._runs = ReplayLeases(database, clock)
        self._beats: dict[str, tuple[int, float]] = {}
        self._swept: float | None = None  # when, by the clock

    async def watch(self, stop: asyncio.Event) -> None:
        await run_periodically(self._watch_once, SWEEPER_POLL_SECONDS, stop)

    async def _watch_once(self) -> None:
        """End an expired run; sweep then, and now and again."""
        try:
            with blame_database():
                ended, swept = await self.check(), self._swept
                if ended or swept is None or self._clock() - swept >= SWEPT_SECONDS:
                    await self.sweep()
                    self._swept = self._clock()
        except StoreUnavailable as exc:
            log.debug("sweep failed", extra=exc.log_fields)

    async def check(self) -> bool:
        """End an expired run; return whether one was ended."""
        found = await self._runs.expired()
        return found is not None and await end_run(self._runs, self._database, found)

    async def sweep(self) -> None:
        await drop_leftovers(self._database, self._runs.current)
        await self._forget_processes()

    async def _forget_processes(self) -> None:
        now, known = self._clock(), self._beats
        processes = await self._runs.processes()
        self._beats = {
            p.id: known[p.id] if known.get(p.id, (None,))[0] == p.beat else (p.beat, now)
            for p in processes
        }
        for process in processes:
            if now - self._beats[process.id][1] > GONE_SECONDS:
                await self._runs.forget(process)


async def end_run(runs: ReplayLeases, database: Database, found: ReplayState) -> bool:
    """End or complete an expired run; return False if it has a new heartbeat or was ended already.

    A run that only slept finds no collections to rename, since they have names of their own.
    """
    mine: ReplayFields = {"run": found.run, "beat": found.beat, "phase": found.phase}
    if found.run is None or found.phase != SWAPPING:
        log.warning("interrupted replay ended")
        return await runs.change(mine, {"run": None, "phase": None})
    if not await runs.change(mine, {}):
        return False
    await swap(database, found.run)
    await runs.change({"run": found.run}, after_swap(found.generation))
    log.warning("interrupted swap completed")
    return True
