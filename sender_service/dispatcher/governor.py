"""Limit an app's requests per second to a provider over all replicas (docs/design.md 2.3).

Every replica counts its heartbeats in MongoDB and watches the others' counters on its monotonic clock.
A replica whose counter stands still for `DEAD_BEATS` is dead. No wall clocks are compared.
The living replicas share the limit equally. A newcomer takes nothing until the others must have seen
it; without MongoDB the share is 0. A 429 pauses an app's calls to the provider
on all replicas: heartbeats carry its seconds.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

from sender_service.dispatcher.throttle import AimdThrottle
from sender_service.providers.base import Channel, Provider
from sender_service.store.limits import AnnouncedPause, Replica, ReplicaStore
from shared import metrics
from shared.clock import Monotonic
from shared.errors import StoreUnavailable
from shared.health import Component
from shared.loops import run_periodically
from shared.models.app import App
from shared.settings import GovernorSettings

log = logging.getLogger("carillon.governor")

DEAD_BEATS = 5
JOIN_BEATS = 2
FORGET_BEATS = 60
TIMEOUT_CHECK_SECONDS = 0.1  # how late a caller may learn that no slot came in time
RATE_WINDOW_SECONDS = 1.0  # providers count calls by the second


class Membership:
    """Membership of this replica: its heartbeats, and its share of every limit."""

    def __init__(
        self, replicas: ReplicaStore, name: str, settings: GovernorSettings, monotonic: Monotonic
    ) -> None:
        self._replicas = replicas
        self._name = name
        self._heartbeat_seconds = settings.heartbeat_seconds
        self._monotonic = monotonic
        self._beat = 0
        self._written_at: float | None = None
        self._others: dict[str, tuple[int, float]] = {}  # name → heartbeat, when it last moved
        self._pauses: dict[str, AnnouncedPause] = {}  # of this replica, by channel
        self._read_pauses: dict[tuple[str, str], int] = {}
        self.on_pause: Callable[[Channel, float], None] = lambda channel, seconds: None

    @property
    def share(self) -> float:
        """Share of this replica, in [0, 1]."""
        now = self._monotonic()
        if self._written_at is None or self._beat <= JOIN_BEATS:
            return 0.0
        if now - self._written_at > JOIN_BEATS * self._heartbeat_seconds:
            return 0.0  # an unseen newcomer may begin now, and others take this replica for dead
        dead_after = DEAD_BEATS * self._heartbeat_seconds
        living = sum(now - moved <= dead_after for _, moved in self._others.values())
        return 1 / (1 + living)

    def announce_pause(self, channel: Channel, seconds: float) -> None:
        """Announce a pause to the other replicas, with the next heartbeat."""
        name = "/".join(channel)
        seq = self._pauses[name]["seq"] + 1 if name in self._pauses else 1
        self._pauses[name] = {"seq": seq, "seconds": seconds}

    async def run(self, stop: asyncio.Event, component: Component) -> None:
        try:
            await run_periodically(self.beat, self._heartbeat_seconds, stop, component)
        finally:
            await self._leave()

    async def beat(self) -> None:
        """Count a heartbeat and read the others'. Raises StoreUnavailable."""
        began = self._monotonic()
        own = Replica(self._name, self._beat + 1, self._pauses)
        found = await self._replicas.exchange(own)
        self._beat += 1
        self._written_at = began
        self._update_others(found)
        for replica in found:
            if self._is_forgotten(replica.name):
                await self._replicas.remove(replica.name)

    def _update_others(self, found: Sequence[Replica]) -> None:
        now = self._monotonic()
        for replica in found:
            name = replica.name
            if self._others.get(name, (None, 0.0))[0] != replica.beat:
                self._others[name] = (replica.beat, now)
            for channel, pause in replica.pauses.items():
                if self._read_pauses.get((name, channel), 0) != pause["seq"]:
                    is_first = (name, channel) not in self._read_pauses and self._beat == 1
                    self._read_pauses[name, channel] = pause["seq"]
                    if not is_first:  # a pause from before this replica's start may be long over
                        app, _, provider = channel.rpartition("/")
                        self.on_pause((app, provider), pause["seconds"])
        for name in self._others.keys() - {replica.name for replica in found}:
            del self._others[name]

    def _is_forgotten(self, name: str) -> bool:
        moved = self._others[name][1]
        return self._monotonic() - moved > FORGET_BEATS * self._heartbeat_seconds

    async def _leave(self) -> None:
        try:
            await self._replicas.remove(self._name)
        except StoreUnavailable:
            log.info("replica deregistration failed")


class Waiting(NamedTuple):
    """Caller that waits for a slot: its result, and its deadline by the pacer's clock."""

    granted: asyncio.Future[bool]
    until: float


class Pacer:
    """Pacer of one app's calls to a provider: grants evenly spaced slots, transactional callers first."""

    def __init__(self, rate: Callable[[], float], monotonic: Monotonic) -> None:
        self._rate = rate
        self._monotonic = monotonic
        self._queues: tuple[deque[Waiting], deque[Waiting]] = (deque(), deque())
        self._next = 0.0
        self._slots: deque[float] = deque()  # times of the last slots, as many as a second may have
        self._paused_until = 0.0
        self._serving: asyncio.Task[None] | None = None

    async def acquire(self, *, transactional: bool, within: float) -> bool:
        """Wait for a slot; return False when none came within so many seconds."""
        granted: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        waiting = Waiting(granted, self._monotonic() + within)
        self._queues[0 if transactional else 1].append(waiting)
        if self._serving is None or self._serving.done():
            self._serving = asyncio.create_task(self._serve())
        return await granted

    def pause(self, seconds: float) -> None:
        self._paused_until = max(self._paused_until, self._monotonic() + seconds)

    async def _serve(self) -> None:
        while any(self._queues):
            rate = self._rate()
            now = self._monotonic()
            at = self._earliest(rate, now)
            if at > now:
                self._refuse_late(now)
                await asyncio.sleep(min(at - now, TIMEOUT_CHECK_SECONDS))
                continue
            granted = (self._queues[0] or self._queues[1]).popleft().granted
            if not granted.done():
                # A loop that woke late catches up by at most a few slots: never a burst.
                self._next = max(self._next, now - 5 / rate) + 1 / rate
                self._slots.append(now)
                granted.set_result(True)

    def _refuse_late(self, now: float) -> None:
        """Refuse callers whose deadline has passed."""
        # A timer for each would cost as much as the slot.
        for queue in self._queues:
            while queue and (queue[0].until <= now or queue[0].granted.done()):
                granted = queue.popleft().granted
                if not granted.done():
                    granted.set_result(False)

    def _earliest(self, rate: float, now: float) -> float:
        """Return the time of the next slot: evenly spaced, at most `rate` in any second."""
        if rate <= 0:
            return now + 0.05
        most = max(1, int(rate))
        while len(self._slots) > most:
            self._slots.popleft()
        at = max(self._next, self._paused_until)
        if len(self._slots) == most:
            at = max(at, self._slots[0] + RATE_WINDOW_SECONDS)
        return at


_rate_share = lru_cache(1_024)(metrics.RATE_SHARE.labels)  # a look-up by labels takes a lock


class Governor:
    """Governor of this replica's calls to all apps."""

    def __init__(
        self, membership: Membership, settings: GovernorSettings, monotonic: Monotonic
    ) -> None:
        self._membership = membership
        self._margin = settings.limit_margin
        self._monotonic = monotonic
        self._pacers: dict[Channel, Pacer] = {}
        self._limits: dict[Channel, float] = {}
        self._throttles: dict[Channel, AimdThrottle] = {}
        membership.on_pause = self._pause_here

    async def acquire(
        self, app: App, provider: Provider, *, transactional: bool, within: float
    ) -> bool:
        channel = (app.id, provider.name)
        self._limits[channel] = provider.limits(app).requests_per_second
        return await self._pacer(channel).acquire(transactional=transactional, within=within)

    def pause(self, app: str, provider: str, seconds: float) -> None:
        """Pause the app's calls on all replicas, then slow them down, as the provider requested."""
        channel = (app, provider)
        self._pause_here(channel, seconds)
        self._membership.announce_pause(channel, seconds)

    def _pause_here(self, channel: Channel, seconds: float) -> None:
        self._throttles.setdefault(channel, AimdThrottle(self._monotonic)).refused(seconds)
        self._pacer(channel).pause(seconds)

    def _pacer(self, channel: Channel) -> Pacer:
        if channel not in self._pacers:
            self._pacers[channel] = Pacer(lambda: self._rate(channel), self._monotonic)
        return self._pacers[channel]

    def _rate(self, channel: Channel) -> float:
        rate = self._limits.get(channel, 0) * self._margin * self._membership.share
        if channel in self._throttles:
            rate *= self._throttles[channel].share
        _rate_share(*channel).set(rate)
        return rate
