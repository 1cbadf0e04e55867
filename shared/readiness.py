"""Readiness of a process: each stage reads, or knows that it has no partition."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from shared.health import Component, Health
from shared.loops import sleep_or_stop

READINESS_CHECK_SECONDS = 0.05


def stages_component(health: Health) -> Component:
    """Register the stages; the process isn't ready before `watch_stages` reports them."""
    return health.component("stages", deadline_seconds=math.inf, critical=True)


async def watch_stages(
    is_reading: Callable[[], bool], component: Component, stop: asyncio.Event
) -> None:
    """Report the stages ready once every one has read for the first time."""
    # Once only: a stage that loses its partitions or its broker later stays ready.
    while not is_reading():
        component.fail("joining")
        await sleep_or_stop(stop, READINESS_CHECK_SECONDS)
        if stop.is_set():
            return
    component.beat()
