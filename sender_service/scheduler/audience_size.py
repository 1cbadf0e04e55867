"""How many subscribers an app has: the smaller of our count and OneSignal's (docs/design.md 2.3)."""

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

STALE_AFTER = 2  # times as old as it should be, a count is waited for; until then it will do

AskMessageable = Callable[[str], Awaitable[int | None]]  # app → its count, None where it is refused


@dataclass(frozen=True)
class _Count:
    subscribers: int
    read_at: float


class SubscriberCounts:
    """Read again every so many seconds, while somebody wants to know."""

    def __init__(
        self, people: PeopleReader, ask: AskMessageable, seconds: float, monotonic: Monotonic
    ) -> None:
        self._people = people
        self._ask = ask
        self._seconds = seconds
        self._monotonic = monotonic
        self._counts: dict[str, _Count] = {}
        self._reading: dict[str, asyncio.Task[None]] = {}
        self._alone: set[str] = set()  # apps whose count is ours alone

    def of(self, app: str) -> int:
        """As read last; 0 where it never was."""
        count = self._counts.get(app)
        return 0 if count is None else count.subscribers

    async def refresh(self, app: str, *, within: float | None = None) -> None:
        """Read again, unless that was done `within` so many seconds. Raises StoreUnavailable."""
        if self._age(app) < (self._seconds if within is None else within):
            return
        ours = await self._people.subscribed(app)
        theirs = await self._ask(app)
        if theirs is None and app not in self._alone:
            log.warning("OneSignal's count is not to be had: ours alone", extra={"app": app})
        (self._alone.add if theirs is None else self._alone.discard)(app)
        counted = ours if theirs is None else min(ours, theirs)
        self._counts[app] = _Count(counted, self._monotonic())

    async def keep_fresh(self, app: str) -> None:
        """To count takes a large app's database half a second, which no push should wait for: it is
        done beside, while the last count will do. Raises StoreUnavailable.
        """
        age = self._age(app)
        if age >= STALE_AFTER * self._seconds:
            await self.refresh(app)
        elif age >= self._seconds and app not in self._reading:
            self._reading[app] = asyncio.create_task(self._refresh_beside(app))

    async def _refresh_beside(self, app: str) -> None:
        try:
            with suppress(StoreUnavailable):  # in the end somebody waits for it, and hears of it
                await self.refresh(app)
        finally:
            del self._reading[app]

    def _age(self, app: str) -> float:
        """Seconds since it was read."""
        count = self._counts.get(app)
        return float("inf") if count is None else self._monotonic() - count.read_at
