"""Ready means that each stage of a process reads, or was told that it has no partition."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from shared.health import Component, Health
from shared.loops import sleep_or_stop

LOOK_SECONDS = 0.05


def stages_component(health: Health) -> Component:
    """Register it: the process isn't ready before `watch_stages` says so."""
    return health.component("stages", deadline_seconds=math.inf, critical=True)


async def watch_stages(
    is_reading: Callable[[], bool], component: Component, stop: asyncio.Event
) -> None:
    """Return once every stage has read for the first time.

    That is said once: whoever is sent away later, in a rebalance or without a broker, is still ready.
    """
    while not is_reading():
        component.fail("joining")
        await sleep_or_stop(stop, LOOK_SECONDS)
        if stop.is_set():
            return
    component.beat()
