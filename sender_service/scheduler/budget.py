"""The message limit: 10 × the smaller subscriber count in 15 minutes, with a margin (docs/design.md 2.3).

Passing it makes OneSignal disable the app. Reservations are counted by minute in one document an app;
a window is the minute under way, 15 whole ones, and as many as replicas' clocks may differ by: so it is
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

# A replica whose clock is fast would forget too soon what others reserved.
CLOCKS_DIFFER_MINUTES = 2
WINDOW_MINUTES = 15 + CLOCKS_DIFFER_MINUTES
FACTOR = 10
MAX_CALL = 2_000
FRESH_SECONDS = 5.0  # before holding, OneSignal is asked again, but not more often than this

_Call = tuple[int, int | None]  # its messages, and the minute that they were counted in before


@dataclass(frozen=True)
class Grant:
    """How many calls may go out, and in which minutes their messages were counted."""

    calls: int
    booked: Mapping[str, int]


class MessageBudget:
    """Reserves messages before they are released. A retry isn't reserved again, but it counts when it
    is made: what was reserved for it moves to then."""

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
        self.counts = SubscriberCounts(people, ask, settings.messageable_seconds, monotonic)
        self._settings = settings
        self._clock = clock
        self.held: dict[str, datetime] = {}  # app → since when it is held back, as seen here
        self._told: dict[str, bool] = {}  # app → is it held, as its document says
        self._tried: dict[
            str, datetime
        ] = {}  # app → when something was held back last, as seen here

    @property
    def transactional_share(self) -> float:
        """Of both budgets, messages and requests: kept free of marketing."""
        return self._settings.transactional_share

    def allowance(self, app: str, *, transactional: bool) -> int:
        """Messages a window, as known now; a part of it is kept for transactional pushes."""
        whole = self.counts.of(app) * FACTOR * self._settings.margin
        return int(whole if transactional else whole * (1 - self.transactional_share))

    def chunk_members(self, app: str) -> int:
        """The most players one call may have: no more than an empty window of marketing takes."""
        return max(1, min(MAX_CALL, self.allowance(app, transactional=False) or MAX_CALL))

    async def reserve(
        self,
        app: str,
        calls: Sequence[int],
        *,
        transactional: bool,
        before: Sequence[datetime] = (),
    ) -> Grant:
        """How many of these calls, from the first on, may go out now; `calls` are their messages.
        `before`: when the first ones were reserved already.

        What is granted counts from now on. Raises StoreUnavailable.
        """
        await self.counts.keep_fresh(app)
        booked: Counter[str] = Counter()
        wanted = list(zip_longest(calls, (_minute_of(moment) for moment in before)))
        granted = await self._take(app, wanted, transactional, booked)
        if granted < len(calls):
            await self.counts.refresh(app, within=FRESH_SECONDS)
            granted += await self._take(app, wanted[granted:], transactional, booked)
        await self._note(app, held=granted < len(calls))
        return Grant(granted, booked)

    async def room(self, app: str, *, transactional: bool) -> int:
        """Messages left of the window, as of now; reserves nothing. Raises StoreUnavailable."""
        await self.counts.refresh(app)
        with translate_mongo_errors():
            found = await self._budgets.find_one({"_id": app})
        taken = sum(self._recent(found).values())
        return max(0, self.allowance(app, transactional=transactional) - taken)

    def disabling(self, app: str) -> int:
        """More messages a window than this, and OneSignal disables the app; 0 where not known."""
        return self.counts.of(app) * FACTOR

    async def give_back(self, app: str, grant: Grant) -> None:
        """Its release did not happen. To the minutes that were charged: given back to a later one, it
        would outlast them, and allow more than the limit once they are over."""
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
                self._told[app] = found is not None and found.get("heldSince") is not None
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

    async def held_since(self, app: str) -> datetime | None:
        """Whichever replica holds it back. Raises StoreUnavailable."""
        with translate_mongo_errors():
            found = await self._budgets.find_one({"_id": app}, {"heldSince": 1})
        return None if found is None else found.get("heldSince")

    async def frees_at(self, app: str) -> datetime | None:
        """Return when the oldest messages leave the window; None where none are in it, or none may be.

        Raises StoreUnavailable.
        """
        await self.counts.refresh(app)
        with translate_mongo_errors():
            found = await self._budgets.find_one({"_id": app})
        counted = [int(minute) for minute, n in self._recent(found).items() if n > 0]
        if not counted or not self.counts.of(app):
            return None
        return datetime.fromtimestamp((min(counted) + WINDOW_MINUTES + 1) * 60, UTC)

    async def forget_held(self, after: timedelta) -> None:
        """Tell that an app isn't held any more for which nothing was tried for so long: what was held
        is tried again and again until it goes, ends, or is held by something else."""
        for app, tried in list(self._tried.items()):
            if self._clock() - tried > after:
                self._told[app] = True  # so that the document says it, too, whoever wrote that
                await self._note(app, held=False)

    async def _note(self, app: str, *, held: bool) -> None:
        metrics.BUDGET_EXHAUSTED.labels(app).set(1 if held else 0)
        if held:
            self._tried[app] = self._clock()
        if not held:
            self.held.pop(app, None)
            self._tried.pop(app, None)
        elif app not in self.held:
            self.held[app] = self._clock()
            log.warning("held: the message limit is near", extra={"app": app})
        if held != self._told.get(app, False):
            await self._tell(app, held)

    async def _tell(self, app: str, held: bool) -> None:
        """The other replicas, for a send's status."""
        change = {"$set": {"heldSince": self._clock()}} if held else {"$unset": {"heldSince": ""}}
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
    """(how many calls fit from the first on, what that changes in the minutes)."""
    room = limit - sum(minutes.values())
    change: Counter[str] = Counter()
    for index, (messages, before) in enumerate(calls):
        kept = 0
        if before is not None:  # what is still in the window moves, the rest is reserved anew
            then = str(before)
            kept = min(messages, max(0, minutes.get(then, 0) + min(0, change[then])))
        if messages > kept and messages - kept > room:
            return index, change
        room -= messages - kept
        if kept:
            change[str(before)] -= kept
        change[now] += messages
    return len(calls), change
