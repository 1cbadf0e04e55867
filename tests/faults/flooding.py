"""Clients that pipeline without reading, against both services at once."""

from __future__ import annotations

import asyncio
import time

from tests.faults.fault_cluster import SERVICES, FaultCluster
from tests.faults.plan import Fault
from tests.support.flood import Flood

REQUEST = b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n"
ENOUGH = 100  # requests that were taken, far more than may wait
TRY_SECONDS = 45.0  # other faults of the round may keep a service away
AGAIN_SECONDS = 0.5


class Flooding:
    def __init__(self, world: FaultCluster) -> None:
        self._world = world

    async def flood(self, fault: Fault) -> int:
        """Return how many requests both took. The prober and the memory's watch judge the rest."""
        taken = await asyncio.gather(*(self._flood_one(name, fault) for name in SERVICES))
        return sum(taken) if min(taken) >= ENOUGH else 0

    async def _flood_one(self, name: str, fault: Fault) -> int:
        """Flood until the service took enough of one connection, which then stays unread."""
        port, deadline = self._world.servers[name].port, time.monotonic() + TRY_SECONDS
        while True:
            flood = Flood(port, REQUEST)
            try:
                await flood.run(fault.lasts + 1)
                if flood.requests >= ENOUGH:
                    await asyncio.sleep(fault.lasts)
                    return flood.requests
            finally:
                flood.close()
            if time.monotonic() > deadline:
                return 0
            await asyncio.sleep(AGAIN_SECONDS)
