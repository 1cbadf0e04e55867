"""Supervision of a child: one that dies after it was ready is started again, with back-off."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from deploy.local.errors import ChildDied
from deploy.local.process import Child
from deploy.local.screen import Screen

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0
STABLE_SECONDS = 60.0  # one that lived this long begins with the first pause again


class Backoff:
    """Pauses before restarts: 0.5 s, doubled at each death up to 10 s."""

    def __init__(self) -> None:
        self._next = FIRST_PAUSE_SECONDS

    def after(self, lived_seconds: float) -> float:
        pause = FIRST_PAUSE_SECONDS if lived_seconds >= STABLE_SECONDS else self._next
        self._next = min(pause * 2, LONGEST_PAUSE_SECONDS)
        return pause


async def supervise(
    child: Child, screen: Screen, on_return: Callable[[Child], Awaitable[None]]
) -> None:
    """Restart the child for ever; call `on_return` when it died by itself and is ready again."""
    backoff = Backoff()
    while True:
        await child.exited()
        recycled, child.recycled = child.recycled, False
        if not recycled:
            pause = backoff.after(child.lived_seconds)
            screen.warn(
                f"{child.name} died ({child.how_it_ended()}); starting it again in {pause:g} s;"
                f" see {child.log}"
            )
            await asyncio.sleep(pause)
        await child.may_run.wait()
        try:
            await child.start(timeout=None)
        except ChildDied:
            continue
        screen.good(f"{child.name} is ready again")
        if not recycled:
            await on_return(child)
