"""Resident memory and lag over the time of a load, and whether they stay."""

from __future__ import annotations

import asyncio
import re
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.faults.fault_cluster import SERVICES, FaultCluster

LOOK_SECONDS = 2.0
REPORT_SECONDS = 60.0
BASE_AT = 0.25  # minute 5 of 20
WINDOW = 0.05  # of the whole: what a look at one time means
GROWTH = 1.1
STEADY_LAG = 500  # records: below it nothing piles up
LAG = re.compile(r'^carillon_stage_lag_records\{stage="([^"]+)",topic="[^"]+"\} (\S+)$', re.M)


async def lag_of(world: FaultCluster, service: str) -> dict[str, float]:
    """Records behind the end, by stage."""
    text = (await world.http.get(f"http://{world.servers[service].address}/metrics")).text
    lags: dict[str, float] = {}
    for stage, behind in LAG.findall(text):
        lags[stage] = lags.get(stage, 0.0) + float(behind)
    return lags


@dataclass
class Watch:
    world: FaultCluster
    seconds: float
    report: Callable[[str], None]
    memory: list[tuple[float, dict[str, float]]] = field(default_factory=list)  # when, MB
    lags: list[tuple[float, float]] = field(default_factory=list)  # when, records of all stages

    async def run(self) -> None:
        began = reported = time.monotonic()
        while True:
            at = time.monotonic() - began
            self.memory.append((at, self.world.resident_megabytes()))
            lag = 0.0
            for name in SERVICES:
                lag += sum((await lag_of(self.world, name)).values())
            self.lags.append((at, lag))
            if time.monotonic() - reported >= REPORT_SECONDS:
                reported = time.monotonic()
                self.report(
                    f"  {at / 60:.0f} min: {self._memory_line(self.memory[-1][1])}, lag {lag:.0f}"
                )
            await asyncio.sleep(LOOK_SECONDS)

    def _memory_line(self, memory: dict[str, float]) -> str:
        return ", ".join(f"{name} {mb:.1f} MB" for name, mb in memory.items())

    def _around(self, share: float) -> dict[str, float]:
        """Mean memory about that time."""
        middle, half = share * self.seconds, max(WINDOW * self.seconds, 2 * LOOK_SECONDS)
        near = [memory for at, memory in self.memory if abs(at - middle) <= half]
        return {name: statistics.mean(memory[name] for memory in near) for name in SERVICES}

    def summary(self) -> list[str]:
        lags = [lag for _, lag in self.lags]
        return [
            f"at {BASE_AT * self.seconds / 60:.1f} min: {self._memory_line(self._around(BASE_AT))};"
            f" at the end: {self._memory_line(self._around(1.0))}",
            f"lag of all stages: median {statistics.median(lags):.0f}, most {max(lags):.0f} records",
        ]

    def problems(self) -> list[str]:
        base, end = self._around(BASE_AT), self._around(1.0)
        found = [
            f"{name} grew from {base[name]:.1f} to {end[name]:.1f} MB"
            for name in SERVICES
            if end[name] > GROWTH * base[name]
        ]
        early = self._median_lag(BASE_AT, 0.5)
        late = self._median_lag(0.75, 1.01)
        if late > max(2 * early, STEADY_LAG):
            found.append(f"lag grows: {early:.0f} records before the half, {late:.0f} at the end")
        return found

    def _median_lag(self, begin: float, end: float) -> float:
        among = [lag for at, lag in self.lags if begin <= at / self.seconds < end]
        return statistics.median(among) if among else 0.0
