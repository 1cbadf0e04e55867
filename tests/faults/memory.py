"""Peak memory of each service, all through a round."""

from __future__ import annotations

import asyncio

from shared.loops import sleep_or_stop
from tests.faults.fault_cluster import FaultCluster

EVERY_SECONDS = 1.0
ALLOWED_MEGABYTES = 350.0  # a service; seen: below 150


class Memory:
    def __init__(self, world: FaultCluster) -> None:
        self._world = world
        self.worst: dict[str, float] = {}

    async def watch(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            for name, megabytes in self._world.resident_megabytes().items():
                self.worst[name] = max(self.worst.get(name, 0.0), megabytes)
            await sleep_or_stop(stop, EVERY_SECONDS)

    def is_bounded(self) -> None:
        assert max(self.worst.values()) < ALLOWED_MEGABYTES, self.worst
