"""Count an app's subscribers: the smaller of our count and the provider's (docs/design.md 2.3)."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass

from sender_service.providers.base import Channel, ProviderLimits, Providers
from sender_service.store.people import PeopleReader
from shared.apps import AppRegistry
from shared.clock import Monotonic
from shared.errors import StoreUnavailable

log = logging.getLogger("carillon.message_budget")

STALE_AFTER = 2  # refresh intervals; callers wait for a new count when theirs is older


@dataclass(frozen=True)
class AudienceSource:
    """Readers of counts and limits: our ledger, the apps, the providers."""

    people: PeopleReader
    apps: AppRegistry
    providers: Providers

    def limits(self, channel: Channel) -> ProviderLimits | None:
        """Return an app's limits at a provider; None where either isn't known."""
        app, provider = self.apps.get(channel[0]), self.providers.get(channel[1])
        return None if app is None or provider is None else provider.limits(app)

    async def our_count(self, channel: Channel) -> int:
        """Count our subscribed players of the provider. Raises StoreUnavailable."""
        app = self.apps.get(channel[0])
        return await self.people.subscribed(*channel, () if app is None else app.providers)

    async def their_count(self, channel: Channel) -> int | None:
        """Return the provider's count; None when it gives none."""
        app, provider = self.apps.get(channel[0]), self.providers.get(channel[1])
        return None if app is None or provider is None else await provider.audience_size(app)


@dataclass(frozen=True)
class _Count:
    subscribers: int
    read_at: float


class SubscriberCounts:
    """Cache of subscriber counts. A count older than `seconds` is refreshed on use."""

    def __init__(self, source: AudienceSource, seconds: float, monotonic: Monotonic) -> None:
        self.source = source
        self._seconds = seconds
        self._monotonic = monotonic
        self._counts: dict[Channel, _Count] = {}
        self._reading: dict[Channel, asyncio.Task[None]] = {}
        self._alone: set[Channel] = set()  # without the provider's count

    def of(self, channel: Channel) -> int:
        """Return the last count; 0 if there is none yet."""
        count = self._counts.get(channel)
        return 0 if count is None else count.subscribers

    async def refresh(self, channel: Channel, *, within: float | None = None) -> None:
        """Count again unless the count is younger than `within` seconds. Raises StoreUnavailable."""
        if self._age(channel) < (self._seconds if within is None else within):
            return
        ours = await self.source.our_count(channel)
        theirs = await self.source.their_count(channel)
        if theirs is None and channel not in self._alone:
            log.warning("provider audience size missing", extra={"app": channel[0]})
        (self._alone.add if theirs is None else self._alone.discard)(channel)
        counted = ours if theirs is None else min(ours, theirs)
        self._counts[channel] = _Count(counted, self._monotonic())

    async def keep_fresh(self, channel: Channel) -> None:
        """Refresh an old count: in the background while it is usable, else at once.

        Raises StoreUnavailable.
        """
        # Counting takes a large app's database half a second, which no push should wait for.
        age = self._age(channel)
        if age >= STALE_AFTER * self._seconds:
            await self.refresh(channel)
        elif age >= self._seconds and channel not in self._reading:
            self._reading[channel] = asyncio.create_task(self._refresh_in_background(channel))

    async def _refresh_in_background(self, channel: Channel) -> None:
        try:
            # Once the count is stale, a caller refreshes it and gets the error.
            with suppress(StoreUnavailable):
                await self.refresh(channel)
        finally:
            del self._reading[channel]

    def _age(self, channel: Channel) -> float:
        """Return the seconds since the last count."""
        count = self._counts.get(channel)
        return float("inf") if count is None else self._monotonic() - count.read_at
