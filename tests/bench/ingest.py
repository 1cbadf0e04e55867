"""CPU per durable event against a bare ASGI app that only validates; latency; the naive design."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

from shared.settings import LimitSettings, Settings
from tests.bench.firing import Fired, fire, request
from tests.bench.measuring import cpu_seconds, report
from tests.support import stack
from tests.support.cluster import is_cluster
from tests.support.ingest_process import seeded, until

ROUNDS = 3  # the sides take turns, so that a busy neighbour troubles both; the median counts
SINGLE, BATCH = 1, 50
REQUESTS = {SINGLE: 6_000, BATCH: 600}
BODIES = {SINGLE: 500, BATCH: 20}
NO_LIMIT = LimitSettings(key_per_second=1e9, key_burst=1e9)  # counted, as always


class Side:
    def __init__(self, name: str, server: stack.Server) -> None:
        self.name = name
        self.server = server
        self.cpu: dict[int, list[float]] = {SINGLE: [], BATCH: []}  # seconds a request
        self.rate: dict[int, list[float]] = {SINGLE: [], BATCH: []}

    async def measure(self, events: int, bodies: list[bytes], count: int) -> Fired:
        before = cpu_seconds(psutil.Process(self.server.pid))
        fired = await fire(self.server.port, bodies, count)
        assert not fired.refused, f"{self.name} refused {fired.refused}"
        self.cpu[events].append((cpu_seconds(psutil.Process(self.server.pid)) - before) / count)
        self.rate[events].append(count / fired.seconds)
        return fired

    async def paced(self, bodies: list[bytes], per_second: float) -> list[float]:
        fired = await fire(self.server.port, bodies, int(per_second * 5), per_second)
        return sorted(fired.latencies)


async def main() -> None:
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        _servers(Path(folder)) as (settings, bare, naive),
    ):
        async with seeded(settings):
            with stack.service("ingest_service", settings, "--only", "api") as ours:
                async with httpx.AsyncClient(base_url=f"http://{ours.address}") as client:
                    await until(client, 200, "ready")
                await _compare(Side("ingest", ours), Side("bare", bare), Side("naive", naive))


@contextmanager
def _servers(folder: Path) -> Iterator[tuple[Settings, stack.Server, stack.Server]]:
    script = str(Path(__file__).with_name("bare.py"))
    with stack.broker() as broker, stack.database(folder / "database") as database:
        uri = f"mongodb://{database.address}"
        settings = stack.settings_for(broker.address, uri, folder)
        settings = settings.model_copy(update={"limits": NO_LIMIT, "log_level": "INFO"})
        path = {"PYTHONPATH": str(Path(__file__).parents[2])}

        def start(kind: str, *servers: str) -> stack.Server:
            port = stack.free_port()
            command = [sys.executable, script, kind, str(port), *servers]
            return stack.Server(command, port, path)

        with start("bare") as bare, start("naive", broker.address, uri) as naive:
            yield settings, bare, naive


async def _compare(ours: Side, bare: Side, naive: Side) -> None:
    broker = "Apache Kafka" if is_cluster() else "Tansu, embedded"
    report(f"   both validate with ingest's pydantic models; driver aiokafka, acks=all; {broker}")
    bodies = {n: [request(n) for _ in range(BODIES[n])] for n in (SINGLE, BATCH)}
    for events in (SINGLE, BATCH):
        for side in (ours, bare):
            await fire(side.server.port, bodies[events], REQUESTS[events] // 4)
        for _ in range(ROUNDS):
            for side in (ours, bare):
                await side.measure(events, bodies[events], REQUESTS[events])
        mine, theirs = _median(ours.cpu[events]), _median(bare.cpu[events])
        report(
            f"{events} events a request: {mine / events * 1e6:.1f} µs CPU an event, bare"
            f" {theirs / events * 1e6:.1f}: {mine / theirs:.2f} × (aim: {1.8 if events == 1 else 2.8})"
        )
    await naive.measure(SINGLE, bodies[SINGLE], 200)
    await naive.measure(SINGLE, bodies[SINGLE], 1_000)
    faster = _median(ours.rate[SINGLE]) / naive.rate[SINGLE][-1]
    report(
        f"requests/s: {_median(ours.rate[SINGLE]):,.0f}, naive {naive.rate[SINGLE][-1]:,.0f}:"
        f" {faster:.1f} × (aim: 5); bare {_median(bare.rate[SINGLE]):,.0f}"
    )
    capacity = 1 / _median(ours.cpu[SINGLE])
    latencies = await ours.paced(bodies[SINGLE], capacity * 0.7)
    p99 = latencies[int(len(latencies) * 0.99)]
    report(f"p99 at 70% of one core's {capacity:,.0f}/s: {p99 * 1e3:.0f} ms (aim: 50)")


def _median(figures: list[float]) -> float:
    return sorted(figures)[len(figures) // 2]
