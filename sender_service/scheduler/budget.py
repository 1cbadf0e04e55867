"""The message limit: some times the smaller subscriber count in some minutes (docs/design.md 2.3).

Above the limit a provider disables the app. Reservations are counted by minute, in one document for an
app and a provider. A window is the current minute, as many whole ones as the provider's, and as many as
replicas' clocks may differ by. So it is never shorter than the provider's.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import zip_longest

from sender_service.providers.base import Channel, MessageWindow
from sender_service.scheduler.audience_size import SubscriberCounts
from sender_service.scheduler.message_window import Call, Grant, fit_calls, minute_of
from sender_service.store.limits import BudgetStore, StoredBudget
from shared import metrics
from shared.clock import Clock
from shared.settings import GovernorSettings

log = logging.getLogger("carillon.message_budget")

# A replica with a fast clock would drop others' reservations too soon.
CLOCKS_DIFFER_MINUTES = 2
UNKNOWN_APP_MEMBERS = 2_000  # players of a call, until the app is known
FRESH_COUNT_SECONDS = 5.0  # a younger count is not refreshed before calls are refused


class MessageBudget:
    """Budget of messages, reserved before their release.

    A retry isn't reserved again: its reservation moves to the minute of the retry. A provider without
    a message window grants everything and counts nothing.
    """

    def __init__(
        self,
        *,
        store: BudgetStore,
        counts: SubscriberCounts,
        settings: GovernorSettings,
        clock: Clock,
    ) -> None:
        self._store = store
        self.counts = counts
        self._settings = settings
        self._clock = clock
        self.exhausted: dict[Channel, datetime] = {}  # channel → since when, as this replica saw it
        # Channel → whether its document has `limitedSince`.
        self._recorded: dict[Channel, bool] = {}
        self._refused_at: dict[Channel, datetime] = {}  # channel → last refusal by this replica

    @property
    def transactional_share(self) -> float:
        """Share of messages and of requests that is kept free of marketing."""
        return self._settings.transactional_share

    def allowance(self, channel: Channel, *, transactional: bool) -> int:
        """Return the messages a window may have; a share of them is kept for transactional pushes."""
        whole = self.disabling(channel) * self._settings.limit_margin
        return int(whole if transactional else whole * (1 - self.transactional_share))

    def chunk_members(self, app: str) -> dict[str, int]:
        """Return the most players of one call, by provider.

        They are no more than an empty window of marketing takes.
        """
        found = {}
        for provider in self.counts.source.providers:
            limits = self.counts.source.limits((app, provider))
            targets = UNKNOWN_APP_MEMBERS if limits is None else limits.max_targets
            most = self.allowance((app, provider), transactional=False) or targets
            found[provider] = max(1, min(targets, most))
        return found

    async def reserve(
        self,
        channel: Channel,
        calls: Sequence[int],
        *,
        transactional: bool,
        before: Sequence[datetime] = (),
    ) -> Grant:
        """Reserve calls, from the first on, as many as the window has room for.

        `calls`: each call's messages. `before`: earlier reservations of the first calls, which move to
        now. Raises StoreUnavailable.
        """
        limits = self.counts.source.limits(channel)
        if limits is None or limits.messages is None:  # what isn't known is not allowed
            return Grant(0 if limits is None else len(calls), {})
        await self.counts.keep_fresh(channel)
        booked: Counter[str] = Counter()
        requested = list(zip_longest(calls, (minute_of(moment) for moment in before)))
        granted = await self._take(channel, requested, transactional, booked)
        if granted < len(calls):
            await self.counts.refresh(channel, within=FRESH_COUNT_SECONDS)
            granted += await self._take(channel, requested[granted:], transactional, booked)
        await self._note(channel, exhausted=granted < len(calls))
        return Grant(granted, booked)

    async def room(self, channel: Channel, *, transactional: bool) -> int:
        """Return the messages left in the window; reserve nothing. Raises StoreUnavailable."""
        await self.counts.refresh(channel)
        taken = sum(self._recent(channel, await self._store.get(channel)).values())
        return max(0, self.allowance(channel, transactional=transactional) - taken)

    def disabling(self, channel: Channel) -> int:
        """Return the messages a window above which the provider disables the app; 0 if unknown."""
        window = self._window(channel)
        return 0 if window is None else self.counts.of(channel) * window.factor

    def _window(self, channel: Channel) -> MessageWindow | None:
        limits = self.counts.source.limits(channel)
        return None if limits is None else limits.messages

    async def refund(self, channel: Channel, grant: Grant) -> None:
        """Undo a grant whose release did not happen. Raises StoreUnavailable."""
        # In the minutes that were charged: in a later one the credit would outlast them, and allow
        # more than the limit.
        if grant.booked:
            back = {minute: -messages for minute, messages in grant.booked.items()}
            await self._store.add(channel, back)

    async def _take(
        self, channel: Channel, calls: Sequence[Call], transactional: bool, booked: Counter[str]
    ) -> int:
        limit = self.allowance(channel, transactional=transactional)
        granted, change = 0, Counter[str]()

        def compute(found: StoredBudget) -> dict[str, int] | None:
            nonlocal granted, change
            self._recorded[channel] = found.exhausted_since is not None
            minutes = self._recent(channel, found)
            granted, change = fit_calls(calls, minutes, limit, str(minute_of(self._clock())))
            for minute, messages in change.items():
                minutes[minute] = minutes.get(minute, 0) + messages
            return minutes if granted else None

        await self._store.change(channel, compute)
        booked.update(change)
        return granted

    def _recent(self, channel: Channel, found: StoredBudget) -> dict[str, int]:
        oldest = minute_of(self._clock()) - self._minutes(channel)
        return {minute: n for minute, n in found.minutes.items() if int(minute) >= oldest}

    def _minutes(self, channel: Channel) -> int:
        """Return the minutes that a window covers, the replicas' clocks included."""
        window = self._window(channel)
        return CLOCKS_DIFFER_MINUTES + (0 if window is None else window.minutes)

    async def exhausted_since(self, channel: Channel) -> datetime | None:
        """Return since when the budget is exhausted, on any replica. Raises StoreUnavailable."""
        return (await self._store.get(channel)).exhausted_since

    async def frees_at(self, channel: Channel) -> datetime | None:
        """Return when the oldest messages leave the window; None when it is empty or may have none.

        Raises StoreUnavailable.
        """
        await self.counts.refresh(channel)
        found = await self._store.get(channel)
        counted = [int(minute) for minute, n in self._recent(channel, found).items() if n > 0]
        if not counted or not self.counts.of(channel):
            return None
        return datetime.fromtimestamp((min(counted) + self._minutes(channel) + 1) * 60, UTC)

    async def end_exhaustion(self, after: timedelta) -> None:
        """End the exhaustion of apps without a refusal for so long. Raises StoreUnavailable."""
        # Refused calls are repeated until they go out, expire, or wait for another reason.
        for channel, refused in list(self._refused_at.items()):
            if self._clock() - refused > after:
                self._recorded[channel] = True  # clear the document whichever replica wrote it
                await self._note(channel, exhausted=False)

    async def _note(self, channel: Channel, *, exhausted: bool) -> None:
        metrics.BUDGET_EXHAUSTED.labels(*channel).set(1 if exhausted else 0)
        if exhausted:
            self._refused_at[channel] = self._clock()
        if not exhausted:
            self.exhausted.pop(channel, None)
            self._refused_at.pop(channel, None)
        elif channel not in self.exhausted:
            self.exhausted[channel] = self._clock()
            log.warning(
                "message budget exhausted", extra={"app": channel[0], "provider": channel[1]}
            )
        if exhausted != self._recorded.get(channel, False):
            await self._record(channel, exhausted)

    async def _record(self, channel: Channel, exhausted: bool) -> None:
        """Record the state for other replicas, which report it in a send's status."""
        await self._store.mark_exhausted(channel, self._clock() if exhausted else None)
