"""Requests per second by app, over all replicas (docs/design.md 2.3).

Every replica counts a beat up in MongoDB and watches the others' counters on its own monotonic clock:
who hasn't moved for `DEAD_BEATS` is dead. No wall clocks are compared. The limit is shared equally by
the living. A newcomer takes nothing until the others must have seen it; without MongoDB the share
is nothing. A 429 pauses the app for everyone: its seconds travel beside the beat.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from sender_service.dispatcher.throttle import AimdThrottle
from sender_service.models.onesignal_limits import requests_per_second
from shared import metrics
from shared.clock import Monotonic
from shared.errors import StoreUnavailable
from shared.health import Component
from shared.loops import sleep_or_stop
from shared.models.app import App
from shared.mongo.client import Database, blame_database
from shared.mongo.collections import REPLICAS
from shared.settings import GovernorSettings

log = logging.getLogger("carillon.governor")

DEAD_BEATS = 5
JOIN_BEATS = 2
FORGET_BEATS = 60
LOOK_SECONDS = 0.1  # how late somebody may learn that no turn came
WINDOW_SECONDS = 1.0  # OneSignal counts calls by the second


class Membership:
    """Which share of every limit is this replica's."""

    def __init__(
        self, database: Database, name: str, settings: GovernorSettings, monotonic: Monotonic
    ) -> None:
        self._replicas = database[REPLICAS.name]
        self._name = name
        self._beat_seconds = settings.beat_seconds
        self._monotonic = monotonic
        self._beat = 0
        self._written_at: float | None = None
        self._others: dict[str, tuple[int, float]] = {}  # name → its beat, when it last moved
        self._pauses: dict[str, dict[str, Any]] = {}  # app → {"seq", "seconds"}, ours
        self._heard: dict[tuple[str, str], int] = {}
        self.on_pause: Callable[[str, float], None] = lambda app, seconds: None

    @property
    def share(self) -> float:
        """In [0, 1]."""
        now = self._monotonic()
        if self._written_at is None or self._beat <= JOIN_BEATS:
            return 0.0
        if now - self._written_at > JOIN_BEATS * self._beat_seconds:
            return 0.0  # a newcomer that we haven't seen may begin now, and others hold us for dead
        dead_after = DEAD_BEATS * self._beat_seconds
        living = sum(now - moved <= dead_after for _, moved in self._others.values())
        return 1 / (1 + living)

    def announce_pause(self, app: str, seconds: float) -> None:
        """Tell the others, with the next beat."""
        seq = self._pauses.get(app, {"seq": 0})["seq"] + 1
        self._pauses[app] = {"seq": seq, "seconds": seconds}

    async def run(self, stop: asyncio.Event, component: Component) -> None:
        try:
            while not stop.is_set():
                try:
                    await self.beat()
                    component.beat()
                except StoreUnavailable as exc:
                    component.wait_for(exc)
                await sleep_or_stop(stop, self._beat_seconds)
        finally:
            await self._leave()

    async def beat(self) -> None:
        """Count up, look around. Raises StoreUnavailable."""
        began = self._monotonic()
        with blame_database():
            await self._replicas.update_one(
                {"_id": self._name},
                {"$set": {"beat": self._beat + 1, "pauses": self._pauses}},
                upsert=True,
            )
            found = [r async for r in self._replicas.find({}) if r["_id"] != self._name]
        self._beat += 1
        self._written_at = began
        self._look_around(found)
        for name in [r["_id"] for r in found if self._long_gone(r["_id"])]:
            with blame_database():
                await self._replicas.delete_one({"_id": name})

    def _look_around(self, found: list[dict[str, Any]]) -> None:
        now = self._monotonic()
        for replica in found:
            name, beat = replica["_id"], replica["beat"]
            if self._others.get(name, (None, 0.0))[0] != beat:
                self._others[name] = (beat, now)
            for app, told in replica.get("pauses", {}).items():
                if self._heard.get((name, app), 0) != told["seq"]:
                    first_look = (name, app) not in self._heard and self._beat == 1
                    self._heard[name, app] = told["seq"]
                    if not first_look:  # what was told before we came may be long over
                        self.on_pause(app, told["seconds"])
        for name in self._others.keys() - {r["_id"] for r in found}:
            del self._others[name]

    def _long_gone(self, name: str) -> bool:
        moved = self._others[name][1]
        return self._monotonic() - moved > FORGET_BEATS * self._beat_seconds

    async def _leave(self) -> None:
        try:
            with blame_database():
                await self._replicas.delete_one({"_id": self._name})
        except StoreUnavailable:
            log.info("left without a word: MongoDB is away")


class Waiting(NamedTuple):
    """Somebody for a turn, true or false, until then by the pacer's clock."""

    given: asyncio.Future[bool]
    until: float


class Pacer:
    """Hands out evenly spaced turns to call OneSignal for one app, transactional first."""

    def __init__(self, rate: Callable[[], float], monotonic: Monotonic) -> None:
        self._rate = rate
        self._monotonic = monotonic
        self._lanes: tuple[deque[Waiting], deque[Waiting]] = (deque(), deque())
        self._next = 0.0
        self._given: deque[float] = deque()  # the last turns, as many as a second may have
        self._paused_until = 0.0
        self._serving: asyncio.Task[None] | None = None

    async def turn(self, *, transactional: bool, within: float) -> bool:
        """True when the call may be made now; False when no turn came within so many seconds."""
        given: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        waiting = Waiting(given, self._monotonic() + within)
        self._lanes[0 if transactional else 1].append(waiting)
        if self._serving is None or self._serving.done():
            self._serving = asyncio.create_task(self._serve())
        return await given

    def pause(self, seconds: float) -> None:
        self._paused_until = max(self._paused_until, self._monotonic() + seconds)

    async def _serve(self) -> None:
        while any(self._lanes):
            rate = self._rate()
            now = self._monotonic()
            at = self._earliest(rate, now)
            if at > now:
                self._send_away(now)
                await asyncio.sleep(min(at - now, LOOK_SECONDS))
                continue
            given = (self._lanes[0] or self._lanes[1]).popleft().given
            if not given.done():
                # A loop that woke late catches up by at most a few turns: never a burst.
                self._next = max(self._next, now - 5 / rate) + 1 / rate
                self._given.append(now)
                given.set_result(True)

    def _send_away(self, now: float) -> None:
        """Who waited long enough; a timer each would cost as much as the turn."""
        for lane in self._lanes:
            while lane and (lane[0].until <= now or lane[0].given.done()):
                given = lane.popleft().given
                if not given.done():
                    given.set_result(False)

    def _earliest(self, rate: float, now: float) -> float:
        """When the next turn may be: evenly spaced, and no more than `rate` in any second."""
        if rate <= 0:
            return now + 0.05
        most = max(1, int(rate))
        while len(self._given) > most:
            self._given.popleft()
        at = max(self._next, self._paused_until)
        if len(self._given) == most:
            at = max(at, self._given[0] + WINDOW_SECONDS)
        return at


_rate_share = lru_cache(1_024)(metrics.RATE_SHARE.labels)  # a look-up by labels takes a lock


class Governor:
    """Turns for all apps of this replica."""

    def __init__(
        self, membership: Membership, settings: GovernorSettings, monotonic: Monotonic
    ) -> None:
        self._membership = membership
        self._margin = settings.margin
        self._monotonic = monotonic
        self._pacers: dict[str, Pacer] = {}
        self._limits: dict[str, int] = {}
        self._cautions: dict[str, AimdThrottle] = {}
        membership.on_pause = self._pause_here

    async def turn(self, app: App, *, transactional: bool, within: float) -> bool:
        self._limits[app.id] = requests_per_second(app.one_signal.plan)
        return await self._pacer(app.id).turn(transactional=transactional, within=within)

    def pause(self, app: str, seconds: float) -> None:
        """OneSignal said to wait: this replica and all others do, and go on more slowly."""
        self._pause_here(app, seconds)
        self._membership.announce_pause(app, seconds)

    def _pause_here(self, app: str, seconds: float) -> None:
        self._cautions.setdefault(app, AimdThrottle(self._monotonic)).refused(seconds)
        self._pacer(app).pause(seconds)

    def _pacer(self, app: str) -> Pacer:
        if app not in self._pacers:
            self._pacers[app] = Pacer(lambda: self._rate(app), self._monotonic)
        return self._pacers[app]

    def _rate(self, app: str) -> float:
        rate = self._limits.get(app, 0) * self._margin * self._membership.share
        if app in self._cautions:
            rate *= self._cautions[app].share
        _rate_share(app).set(rate)
        return rate
