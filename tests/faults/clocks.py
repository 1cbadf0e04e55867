"""Clocks that differ, and a clock that steps in a process that runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from tests.faults.fault_cluster import FaultCluster
from tests.faults.hits import HIT_SECONDS
from tests.faults.plan import Fault
from tests.support.cluster import is_cluster
from tests.support.stack import eventually

CLOCK_OFFSET_SECONDS = 90  # more than any lease or answer timeout
STAGES = {"ingest": "projector", "sender": "accounting"}


class Clocks:
    def __init__(self, world: FaultCluster) -> None:
        self._world = world

    async def differ(self, fault: Fault) -> int:
        """Run a second sender with a wrong clock for a while."""
        replica = self._world.replica("sender_service", clock_offset=_aside(fault))
        async with self._world.replica_guard, self._undisturbed():
            await asyncio.to_thread(replica.start)
            await asyncio.sleep(fault.lasts + 2)
            code = await asyncio.to_thread(replica.stop)
        assert code == 0, f"a sender with a wrong clock ended with {code} on SIGTERM"
        return 1

    @asynccontextmanager
    async def _undisturbed(self) -> AsyncIterator[None]:
        """Keep the sender from being killed until it has all partitions again.

        Where one of two members is killed during an assignment, the embedded broker never assigns again.
        """
        if is_cluster():
            yield
            return
        async with self._world.guards[self._world.sender]:
            yield
            await eventually(self._is_ready, HIT_SECONDS, every=0.1)

    async def _is_ready(self) -> bool:
        return (await self._world.health("sender")).get("status") == "ready"

    async def step(self, name: str, fault: Fault) -> int:
        """Set the clock wrong, and right again; wait each time until a stage's age of records shows it."""
        offset = _aside(fault)
        async with self._world.clock_guards[name]:
            for seconds in (offset, 0):
                self._world.set_clock(name, seconds)
                await eventually(partial(self._shows, name, seconds), HIT_SECONDS, every=0.1)
                await asyncio.sleep(fault.lasts / 2)
        return 2

    async def _shows(self, name: str, seconds: float) -> bool:
        sample = f'carillon_stage_age_seconds{{stage="{STAGES[name]}"}}'
        age = await self._world.measured(name, sample)
        if age is None:
            return False
        if seconds > 0:
            return age > seconds / 2
        return age == 0 if seconds < 0 else 0 < age < CLOCK_OFFSET_SECONDS / 2


def _aside(fault: Fault) -> int:
    return CLOCK_OFFSET_SECONDS if fault.random_share < 0.5 else -CLOCK_OFFSET_SECONDS
