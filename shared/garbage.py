"""When garbage is collected: not so often that every request pays for it, but before it is much.

Profiles, jobs and events are many small objects without cycles: to look at all of them after every few
hundred new ones took a quarter of the planner's time.
"""

from __future__ import annotations

import asyncio
import gc

from shared.wakeup import pause

# By time too: the collector counts objects, and a few in a cycle may hold megabytes (what the Kafka
# client fetched; with a backlog before the projector seen: 75 MB a minute, never given back).
COLLECT_SECONDS = 1.0  # seen: 1 to 5 ms each


def calm_garbage_collector() -> None:
    """All that exists by now stays; requests leave few cycles: a look every 700 objects is wasted."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


async def collect_garbage(stop: asyncio.Event, seconds: float = COLLECT_SECONDS) -> None:
    """Until `stop`."""
    while not stop.is_set():
        await pause(stop, seconds)
        gc.collect()
