"""Count an app's subscribers: the smaller of our count and OneSignal's (docs/design.md 2.3)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from sender_service.store.people import PeopleReader
from shared.clock import Monotonic
from shared.errors import StoreUnavailable

log = logging.getLogger("carillon.governor")

STALE_AFTER = 2  # refresh intervals; callers wait for a new count when theirs is older

AskMessageable = Callable[[str], Awaitable[int | None]]  # app → its count; None when refused


@dataclass(frozen=True)
class _Count:
    subscribers: int
    read_at: float


class SubscriberCounts:
    """Cache of subscriber counts. A count older than `seconds` is refreshed on use."""

    def __init__(
        self, people: PeopleReader, ask: AskMessageable, seconds: float, monotonic: Monotonic
    ) -> None:
        self._people = people
        self._ask = ask
        self._seconds = seconds
        self._monotonic = monotonic
        self._counts: dict[str, _Count] = {}
        self._reading: dict[str, asyncio.Task[None]] = {}
        self._alone: set[str] = set()  # apps without OneSignal's count

    def of(self, app: str) -> int:
        """Return the last count; 0 if there is none yet."""
        count = self._counts.get(app)
        return 0 if count is None else count.subscribers

    async def refresh(self, app: str, *, within: float | None = None) -> None:
        """Count again unless the count is younger than `within` seconds. Raises StoreUnavailable."""
        if self._age(app) < (self._seconds if within is None else within):
            return
        ours = await self._people.subscribed(app)
        theirs = await self._ask(app)
        if theirs is None and app not in self._alone:
            log.warning("provider audience size missing", extra={"app": app})
        (self._alone.add if theirs is None else self._alone.discard)(app)
        counted = ours if theirs is None else min(ours, theirs)
        self._counts[app] = _Count(counted, self._monotonic())

    async def keep_fresh(self, app: str) -> None:
        """Refresh an old count: in the background while it is usable, else at once.

        Raises StoreUnavailable.
        """
        # Counting takes a large app's database half a second, which no push should wait for.
        age = self._age(app)
        if age >= STALE_AFTER * self._seconds:
            await self.refresh(app)
        elif age >= self._seconds and app not in self._reading:
            self._reading[app] = asyncio.create_task(self._refresh_in_background(app))

    async def _refresh_in_background(self, app: str) -> None:
        try:
            with suppress(
                StoreUnavailable
            ):  # once the count is stale, a caller refreshes it and gets the error
                await self.refresh(app)
        finally:
            del self._reading[app]

    def _age(self, app: str) -> float:
        """Return the seconds since the last count."""
        count = self._counts.get(app)
        return float("inf") if count is None else self._monotonic() - count.read_at
