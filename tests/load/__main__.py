"""Find what the whole can do, then do half of it for long; memory and lag must stay as they are."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from shared.kafka.client import LogWriter, open_log_writer
from shared.settings import LimitSettings
from tests.faults.fault_cluster import FaultCluster
from tests.load.burst import Burst
from tests.load.journeys import Journeys
from tests.load.watch import Watch

MINUTES = float(os.environ.get("MINUTES") or 20)
SHARE = 0.5  # of the capacity
# Above what the journeys take, and low enough that ten times it is soon sent.
LIMITS = LimitSettings(key_per_second=2_000, key_burst=5_000)


async def main() -> int:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        world = FaultCluster(Path(folder), log_level="WARNING", proxied=False, limits=LIMITS)
        try:
            await world.start()
            writer: LogWriter
            async with open_log_writer(world.settings.kafka, "load") as writer:
                return await _load(world, writer)
        finally:
            await world.stop()


async def _load(world: FaultCluster, writer: LogWriter) -> int:
    journeys = Journeys(world, writer)
    await journeys.open_shop()
    capacity = await journeys.capacity()
    _print_now(
        f"capacity: {capacity:.1f} journeys/s; now {SHARE * capacity:.1f}/s for {MINUTES:g} min"
    )
    watch = Watch(world, MINUTES * 60, _print_now)
    done = await journeys.walk(SHARE * capacity, MINUTES * 60, watch)
    await journeys.finish()
    _print_now(f"{done} journeys; {journeys.late} of them began more than a second late")
    burst = Burst(world, journeys.app, journeys.key("write"))
    result = await burst.run()
    await world.ready()
    await journeys.once_more()
    problems = [*watch.problems(), *burst.problems]
    for line in [*watch.summary(), result, *problems]:
        _print_now(line)
    return 1 if problems else 0


def _print_now(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
