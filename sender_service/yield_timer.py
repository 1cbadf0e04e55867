"""Work on the event loop that lets others have their turn."""

from __future__ import annotations

import asyncio
import time

TURN_SECONDS = 0.01


class YieldTimer:
    """Gives the loop to the others, once it was held for a while. Asked often, it costs next to nothing."""

    def __init__(self, seconds: float = TURN_SECONDS) -> None:
        self._seconds = seconds
        self._since = time.monotonic()

    async def yield_if_due(self) -> None:
        if time.monotonic() - self._since > self._seconds:
            await asyncio.sleep(0)
            self._since = time.monotonic()
