"""The message limit: 10 × the smaller subscriber count in 15 minutes, with a margin (docs/design.md 2.3).

Above the limit OneSignal disables the app. Reservations are counted by minute, in one document an app.
A window is the current minute, 15 whole ones, and as many as replicas' clocks may differ by. So it is
never shorter than OneSignal's.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from typing import Any

from sender_service.scheduler.audience_size import AskMessageable, SubscriberCounts
from sender_service.store.people import PeopleReader
from shared import metrics
from shared.clock import Clock, Monotonic
from shared.mongo.client import (
    Database,
    Document,
    if_unchanged,
    retry_on_conflict,
    translate_mongo_errors,
)
from shared.mongo.collections import BUDGETS
from shared.settings import GovernorSettings

log = logging.getLogger("carillon.governor")

# A replica with a fast clock would drop others' reservations too soon.
CLOCKS_DIFFER_MINUTES = 2
WINDOW_MINUTES = 15 + CLOCKS_DIFFER_MINUTES
FACTOR = 10
MAX_CALL = 2_000
FRESH_COUNT_SECONDS = 5.0  # a younger count is not refreshed before calls are refused

_Call = tuple[int, int | None]  # messages, and the minute that counted them before


@dataclass(frozen=True)
class Grant:
    """Number of granted calls, and the messages counted for them by minute."""

    calls: int
    booked: Mapping[str, int]


class MessageBudget:
    """Budget of messages, reserved before their release.

    A retry isn't reserved again: its reservation moves to the minute of the retry.
    """

    def __init__(
        self,
        *,
        database: Database,
        people: PeopleReader,
        ask: AskMessageable,
        settings: GovernorSettings,
        clock: Clock,
        monotonic: Monotonic,
    ) -> None:
        self._budgets = database[BUDGETS.name]
        self.counts = SubscriberCounts(people, ask, settings.audience_refresh_seconds, monotonic)
        self._settings = settings
        self._clock = clock
        self.exhausted: dict[str, datetime] = {}  # app → since when, as this replica saw it
        self._recorded: dict[str, bool] = {}  # app → whether its document says exhausted
        self._refused_at: dict[str, datetime] = {}  # app → last refusal by this replica

    @property
    def transactional_share(self) -> float:
        """Share of messages and of requests that is kept free of marketing."""
        return self._settings.transactional_share

    def allowance(self, app: str, *, transactional: bool) -> int:
        """Return the messages a window may have; a share of them is kept for transactional pushes."""
        whole = self.counts.of(app) * FACTOR * self._settings.limit_margin
        return int(whole if transactional else whole * (1 - self.transactional_share))

    def chunk_members(self, app: str) -> int:
        """Return the most players of one call: no more than an empty window of marketing takes."""
        return max(1, min(MAX_CALL, self.allowance(app, transactional=False) or MAX_CALL))

    async def reserve(
        self,
        app: str,
        calls: Sequence[int],
        *,
        transactional: bool,
        before: Sequence[datetime] = (),
    ) -> Grant:
        """Reserve calls, from the first on, as many as the window has room for.

        `calls`: each call's messages. `before`: earlier reservations of the first calls, which move to
        now. Raises StoreUnavailable.
        """
        await self.counts.keep_fresh(app)
        booked: Counter[str] = Counter()
        requested = list(zip_longest(calls, (_minute_of(moment) for moment in before)))
        granted = await self._take(app, requested, transactional, booked)
        if granted < len(calls):
            await self.counts.refresh(app, within=FRESH_COUNT_SECONDS)
            granted += await self._take(app, requested[granted:], transactional, booked)
        await self._note(app, exhausted=granted < len(calls))
        return Grant(granted, booked)

    async def room(self, app: str, *, transactional: bool) -> int:
        """Return the messages left in the window; reserve nothing. Raises StoreUnavailable."""
        await self.counts.refresh(app)
        with translate_mongo_errors():
            found = await self._budgets.find_one({"_id": app})
        taken = sum(self._recent(found).values())
        return max(0, self.allowance(app, transactional=transactional) - taken)

    def disabling(self, app: str) -> int:
        """Return the messages a window above which OneSignal disables the app; 0 if unknown."""
        return self.counts.of(app) * FACTOR

    async def refund(self, app: str, grant: Grant) -> None:
        """Undo a grant whose release did not happen. Raises StoreUnavailable."""
        # In the minutes that were charged: in a later one the credit would outlast them, and allow
        # more than the limit.
        back = {f"minutes.{minute}": -messages for minute, messages in grant.booked.items()}
        if back:
            with translate_mongo_errors():
                await self._budgets.update_one({"_id": app}, {"$inc": {**back, "rev": 1}})

    async def _take(
        self, app: str, calls: Sequence[_Call], transactional: bool, booked: Counter[str]
    ) -> int:
        limit = self.allowance(app, transactional=transactional)

        async def attempt() -> int:
            while True:
                found = await self._budgets.find_one({"_id": app})
                self._recorded[app] = found is not None and found.get("heldSince") is not None
                minutes = self._recent(found)
                granted, change = _fit(calls, minutes, limit, str(_minute_of(self._clock())))
                if not granted:
                    return 0
                for minute, messages in change.items():
                    minutes[minute] = minutes.get(minute, 0) + messages
                if await self._write(app, found, minutes):
                    booked.update(change)
                    return granted

        with translate_mongo_errors():
            return await retry_on_conflict(attempt)

    async def _write(self, app: str, found: Document | None, minutes: dict[str, int]) -> bool:
        if found is None:
            await self._budgets.insert_one({"_id": app, "minutes": minutes, "rev": 1})
            return True
        result = await self._budgets.update_one(
            if_unchanged(found), {"$set": {"minutes": minutes}, "$inc": {"rev": 1}}
        )
        return result.matched_count == 1

    def _recent(self, found: Document | None) -> dict[str, int]:
        oldest = _minute_of(self._clock()) - WINDOW_MINUTES
        minutes: dict[str, Any] = {} if found is None else found["minutes"]
        return {minute: n for minute, n in minutes.items() if int(minute) >= oldest}

    async def exhausted_since(self, app: str) -> datetime | None:
        """Return since when the budget is exhausted, on any replica. Raises StoreUnavailable."""
        with translate_mongo_errors():
            found = await self._budgets.find_one({"_id": app}, {"heldSince": 1})
        return None if found is None else found.get("heldSince")

    async def frees_at(self, app: str) -> datetime | None:
        """Return when the oldest messages leave the window; None when it is empty or may have none.

        Raises StoreUnavailable.
        """
        await self.counts.refresh(app)
        with translate_mongo_errors():
            found = await self._budgets.find_one({"_id": app})
        counted = [int(minute) for minute, n in self._recent(found).items() if n > 0]
        if not counted or not self.counts.of(app):
            return None
        return datetime.fromtimestamp((min(counted) + WINDOW_MINUTES + 1) * 60, UTC)

    async def end_exhaustion(self, after: timedelta) -> None:
        """End the exhaustion of apps without a refusal for so long. Raises StoreUnavailable."""
        # Refused calls are repeated until they go out, expire, or wait for another reason.
        for app, refused in list(self._refused_at.items()):
            if self._clock() - refused > after:
                self._recorded[app] = True  # clear the document whichever replica wrote it
                await self._note(app, exhausted=False)

    async def _note(self, app: str, *, exhausted: bool) -> None:
        metrics.BUDGET_EXHAUSTED.labels(app).set(1 if exhausted else 0)
        if exhausted:
            self._refused_at[app] = self._clock()
        if not exhausted:
            self.exhausted.pop(app, None)
            self._refused_at.pop(app, None)
        elif app not in self.exhausted:
            self.exhausted[app] = self._clock()
            log.warning("message budget exhausted", extra={"app": app})
        if exhausted != self._recorded.get(app, False):
            await self._record(app, exhausted)

    async def _record(self, app: str, exhausted: bool) -> None:
        """Record the state for other replicas, which report it in a send's status."""
        since = {"heldSince": self._clock()}
        change = {"$set": since} if exhausted else {"$unset": {"heldSince": ""}}
        fresh = {"$setOnInsert": {"minutes": {}, "rev": 1}}

        async def write() -> None:
            await self._budgets.update_one({"_id": app}, {**change, **fresh}, upsert=True)

        with translate_mongo_errors():
            await retry_on_conflict(write)


def _minute_of(moment: datetime) -> int:
    return int(moment.timestamp() // 60)


def _fit(
    calls: Sequence[_Call], minutes: Mapping[str, int], limit: int, now: str
) -> tuple[int, Counter[str]]:
    """Return how many calls fit, from the first on, and the changes by minute."""
    room = limit - sum(minutes.values())
    change: Counter[str] = Counter()
    for index, (messages, before) in enumerate(calls):
        kept = 0
        if before is not None:  # what is still in the window moves, the rest is reserved again
            then = str(before)
            kept = min(messages, max(0, minutes.get(then, 0) + min(0, change[then])))
        if messages > kept and messages - kept > room:
            return index, change
        room -= messages - kept
        if kept:
            change[str(before)] -= kept
        change[now] += messages
    return len(calls), change
