"""Counts of runs that wait, for lists: to count 100,000 takes a second, so they are kept for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from shared.clock import Monotonic

COSTLY_SECONDS = 0.1  # of a count: a faster one isn't kept
KEPT_TIMES = 20.0  # as long as it took: whoever asks again and again takes a twentieth of the time
MAX_KEPT_SECONDS = 60.0


class Figures(Protocol):
    """Counter of runs: the ScenarioFigures."""

    async def waiting(self, app: str) -> Mapping[str, int]: ...


@dataclass(slots=True)
class _Count:
    """Count of an app's runs, by scenario; `until` when it is kept."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: Mapping[str, int] = field(default_factory=dict)
    until: float = 0.0


@dataclass(slots=True)
class WaitingCounts:
    figures: Figures
    monotonic: Monotonic
    _counts: dict[str, _Count] = field(default_factory=dict, init=False)

    async def of_app(self, app: str) -> Mapping[str, int]:
        """Return scenario → how many of its runs wait. Raises StoreUnavailable."""
        count = self._counts.setdefault(app, _Count())
        async with count.lock:  # those who ask at the same time share one
            began = self.monotonic()
            if began >= count.until:
                count.waiting = await self.figures.waiting(app)
                now = self.monotonic()
                took = now - began
                kept = min(took * KEPT_TIMES, MAX_KEPT_SECONDS) if took > COSTLY_SECONDS else 0.0
                count.until = now + kept
        return count.waiting
