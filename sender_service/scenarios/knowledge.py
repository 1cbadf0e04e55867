"""Knowledge of people: whether what is known of them is too old to push by.

What somebody bought two minutes ago must end a run. Knowledge is old while the projector is behind, or
events wait on a disk. Then wakes and releases rest that an exit, a condition, a choice or a visit may stop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from datetime import datetime

from sender_service.context import SenderContext
from sender_service.store.heartbeats import STANDING_SECONDS, Heartbeats, ObservedProcess
from shared import metrics
from shared.clock import Clock, Monotonic
from shared.errors import StoreUnavailable
from shared.health import Component
from shared.kafka.topics import EVENTS_TOPIC
from shared.loops import run_periodically

log = logging.getLogger("carillon.scenarios")

HEARTBEATS_SECONDS = 2.0  # between two looks at the heartbeats
OLD_SECONDS = 120.0
ABANDONED_SECONDS = 600.0  # a spool of a process without a beat is waited for so long
RESTED_SECONDS = 60.0  # health shows what kept somebody waiting so short ago

PROJECTOR_SILENT = "projector_silent"
PROJECTOR_BEHIND = "projector_behind"
SPOOL_SILENT = "spool_silent"
SPOOL_WAITS = "spool_waits"
SPOOL_ABANDONED = "spool_abandoned"
KNOWLEDGE_SENTENCES = {
    PROJECTOR_SILENT: "scenario pushes rest: events have no projector that gives a sign of life",
    PROJECTOR_BEHIND: "scenario pushes rest: the projector is more than two minutes behind",
    SPOOL_SILENT: "scenario pushes rest: an ingest whose disk may hold events is silent",
    SPOOL_WAITS: "scenario pushes rest: an event waits on an ingest's disk for two minutes",
    SPOOL_ABANDONED: "scenario pushes go on without the events on a silent ingest's disk",
}


class Knowledge:
    """Follows ingest's heartbeats; nobody who asks waits for the database."""

    def __init__(self, heartbeats: Heartbeats, clock: Clock, monotonic: Monotonic) -> None:
        self._heartbeats = heartbeats
        self._clock = clock
        self._monotonic = monotonic
        self._rested: float | None = None  # when something rested for it last
        self._abandoned: set[str] = set()

    @classmethod
    def of(cls, context: SenderContext) -> Knowledge:
        heartbeats = Heartbeats(context.database, context.monotonic)
        return cls(heartbeats, context.clock, context.monotonic)

    async def why_old(self, now: datetime) -> str | None:
        """Return the code of why an exit may be missing in what is known; None: none is."""
        return self._why(now)

    def note_rest(self) -> None:
        """Note that something rests on old knowledge: health shows why."""
        self._rested = self._monotonic()

    async def run(self, stop: asyncio.Event, component: Component) -> None:
        """Follow the heartbeats until `stop`."""

        async def step() -> None:
            try:
                await self.look()
            except StoreUnavailable as exc:
                component.wait_for(exc)
            else:
                self._report(component)

        await run_periodically(step, HEARTBEATS_SECONDS, stop)

    async def look(self) -> None:
        """Look at the heartbeats; log once whose spool is passed over. Raises StoreUnavailable."""
        await self._heartbeats.look()
        now, before = self._monotonic(), self._abandoned
        self._abandoned = {
            name
            for name, process in self._heartbeats.processes.items()
            if process.spool is not None and now - process.moved > ABANDONED_SECONDS
        }
        for name in self._abandoned - before:
            spool = self._heartbeats.processes[name].spool
            records = 0 if spool is None else spool.records
            log.error("spool passed over", extra={"spool": name, "records": records})

    def _report(self, component: Component) -> None:
        """Show in health what lets pushes rest, else whose events are missing."""
        why = self._why(self._clock())
        metrics.KNOWLEDGE_OLD.set(why is not None)
        metrics.SPOOLS_ABANDONED.set(len(self._abandoned))
        rested = self._rested
        if why is not None and rested is not None and self._monotonic() - rested <= RESTED_SECONDS:
            component.fail(_describe(why))
        elif any(self._has_events(name) for name in self._abandoned):
            component.fail(_describe(SPOOL_ABANDONED))
        else:
            component.beat()

    def _has_events(self, name: str) -> bool:
        process = self._heartbeats.processes.get(name)
        return process is not None and process.spool is not None and process.spool.records > 0

    def _why(self, now: datetime) -> str | None:
        ticks = self._monotonic()
        processes = self._heartbeats.processes.values()
        projector = _why_projector(processes, ticks)
        spools = (_why_spool(process, now, ticks) for process in processes)
        return projector or next((why for why in spools if why is not None), None)


def _describe(why: str) -> str:
    """Return the code, which docs/scenarios.md lists, and its sentence."""
    return f"{why}: {KNOWLEDGE_SENTENCES[why]}"


def _why_projector(processes: Iterable[ObservedProcess], ticks: float) -> str | None:
    behind: dict[int, float] = {}
    for process in processes:
        since = process.known_since()
        if since is not None and process.is_fresh(ticks):
            for partition, seconds in process.behind.items():
                behind[partition] = max(behind.get(partition, 0.0), seconds + ticks - since)
    if not behind.keys() >= set(range(EVENTS_TOPIC.partitions)):
        return PROJECTOR_SILENT
    return PROJECTOR_BEHIND if max(behind.values()) > OLD_SECONDS else None


def _why_spool(process: ObservedProcess, now: datetime, ticks: float) -> str | None:
    spool, stood = process.spool, ticks - process.moved
    if spool is None or stood > ABANDONED_SECONDS:
        return None
    if not process.has_moved or stood > STANDING_SECONDS:
        return SPOOL_SILENT  # what came to its disk since nobody knows
    if not spool.records:
        return None
    # Clocks differ, so what was watched here counts too.
    waited = ticks - spool.since
    if spool.oldest_at is not None:
        waited = max(waited, (now - spool.oldest_at).total_seconds())
    return SPOOL_WAITS if waited > OLD_SECONDS else None
