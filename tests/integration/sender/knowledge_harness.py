"""Ingest's heartbeats as a test writes them, and a sender's knowledge that follows them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from sender_service.scenarios.knowledge import Knowledge
from sender_service.store.heartbeats import Heartbeats
from shared.health import Component
from shared.kafka.topics import EVENTS_TOPIC
from shared.mongo.client import Database
from shared.mongo.collections import PROCESSES
from shared.processes import ProcessHeartbeat, SpoolState
from tests.support.clocks import ManualClock

PARTITIONS = range(EVENTS_TOPIC.partitions)
PROJECTOR, API = "projector", "api"


@dataclass
class KnowledgeHarness:
    """Ingest's documents as a test writes them, and one sender that follows them."""

    database: Database
    clock: ManualClock = field(default_factory=ManualClock)
    behind_ms: dict[int, int] = field(default_factory=lambda: dict.fromkeys(PARTITIONS, 0))
    spool: SpoolState = field(default_factory=lambda: SpoolState(0, None))
    alive: set[str] = field(default_factory=lambda: {PROJECTOR})

    def __post_init__(self) -> None:
        heartbeats = Heartbeats(self.database, self.clock.monotonic)
        self.knowledge = Knowledge(heartbeats, self.clock, self.clock.monotonic)
        self.writers = {
            PROJECTOR: ProcessHeartbeat(self.database, PROJECTOR, "ingest", ["projector"]),
            API: ProcessHeartbeat(self.database, API, "ingest", ["api"]),
        }
        self.writers[PROJECTOR].partitions = self._partitions
        self.writers[API].spool = self._spool

    async def pass_seconds(self, seconds: float, *, looks: bool = True, every: int = 1) -> None:
        """Let time pass; whoever is alive beats each second, or as often, and the sender looks each
        second time."""
        for beat in range(1, int(seconds) // every + 1):
            self.clock.advance(every)
            for name in sorted(self.alive):
                await self.writers[name].beat()
            if looks and beat % 2 == 0:
                await self.knowledge.look()

    async def why(self) -> str | None:
        return await self.knowledge.why_old(self.clock())

    async def first_why(self, seconds: int) -> tuple[int, str] | None:
        """Return after how many seconds, of so many, it was old, and why."""
        for second in range(0, seconds, 2):
            await self.pass_seconds(2)
            if (why := await self.why()) is not None:
                return second + 2, why
        return None

    async def document(self, name: str) -> dict[str, Any]:
        return dict(await self.database[PROCESSES.name].find_one({"_id": name}) or {})

    async def _partitions(self) -> dict[int, int]:
        return self.behind_ms

    async def _spool(self) -> SpoolState:
        return self.spool


async def one_step(scene: KnowledgeHarness, component: Component) -> None:
    """Let the loop take one step."""
    stop = asyncio.Event()
    stop_soon = asyncio.get_running_loop().call_later(0.05, stop.set)
    await scene.knowledge.run(stop, component)
    stop_soon.cancel()
