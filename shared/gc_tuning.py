"""Garbage collection, tuned: seldom enough to cost requests little, often enough to free memory.

Profiles, jobs and events are many small objects without cycles. A scan of all of them after every few
hundred new ones took a quarter of the planner's time.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable

from shared.loops import sleep_or_stop

# By time too: the collector counts objects, and a few in a cycle may hold megabytes (what the Kafka
# client fetched; with a backlog before the projector seen: 75 MB a minute, never given back).
COLLECT_SECONDS = 1.0  # seen: 1 to 15 ms each
IDLE_SHARE = 0.05  # of a core: a process that uses less has fetched little
IDLE_SKIPS = 9


def calm_garbage_collector() -> None:
    """Freeze all objects that exist by now, and collect less often."""
    # Requests leave few cycles: a collection every 700 objects is wasted.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


async def collect_garbage(
    stop: asyncio.Event,
    seconds: float = COLLECT_SECONDS,
    cpu_seconds: Callable[[], float] = time.process_time,
) -> None:
    """Collect until `stop`: after so many seconds, of an idle process only now and then."""
    used, skipped = cpu_seconds(), 0
    while not stop.is_set():
        await sleep_or_stop(stop, seconds)
        is_idle = cpu_seconds() - used < seconds * IDLE_SHARE
        if is_idle and skipped < IDLE_SKIPS:
            skipped += 1
        else:
            gc.collect()
            skipped = 0
        used = cpu_seconds()
