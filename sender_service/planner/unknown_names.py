"""Postpone sends with unknown names: the projector may be a little behind."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta

from sender_service.context import SenderContext
from sender_service.models.send import PlanningChanges, Send
from sender_service.planner.target import Candidate
from sender_service.store.progress import ProjectorProgress
from shared.clock import Clock, Monotonic

LONGEST_SECONDS = {"transactional": 2.0}
LONGEST_OTHERS_SECONDS = 10.0
LOOKUP_PAUSE_SECONDS = 0.2  # before names are looked up again, at least
MAX_LOOKUP_PAUSE_SECONDS = 2.0
MAX_LOOKUPS = 50  # the longest wait at the shortest pause: clocks that differ make it no longer
MAX_WAITING = 200  # sends postponed by the fast path in two seconds: no more are


class UnknownNames:
    """Decides which sends are planned a little later; workers plan others meanwhile."""

    def __init__(self, progress: ProjectorProgress, clock: Clock, monotonic: Monotonic) -> None:
        self._progress = progress
        self._clock = clock
        self._monotonic = monotonic
        self._waiting: deque[float] = deque()

    @classmethod
    def of(cls, context: SenderContext) -> UnknownNames:
        return cls(context.progress, context.clock, context.monotonic)

    async def may_come(self, send: Send) -> bool:
        """Return whether names that are unknown may be known soon. Raises StoreUnavailable."""
        if not self._is_young(send):
            return False
        if not send.looks:
            return True
        return not await self._progress.has_passed(self._moment(send))

    async def postponed(self, send: Send, took_seconds: float) -> tuple[datetime, PlanningChanges]:
        """Return when names are looked up again, and the changes. Raises StoreUnavailable."""
        # From this question on the projector's heartbeats are counted.
        await self._progress.has_passed(self._moment(send))
        # A long list is read whole each time: the pause is as long as that took.
        pause = min(MAX_LOOKUP_PAUSE_SECONDS, max(LOOKUP_PAUSE_SECONDS, took_seconds))
        left = self._longest(send) - self._age(send)
        due = self._clock() + timedelta(seconds=min(pause, max(left, LOOKUP_PAUSE_SECONDS)))
        # Planning was postponed on purpose: that attempt isn't counted.
        return due, {"looks": send.looks + 1, "begun": max(0, send.begun - 1)}

    def put_off(self, send: Send, candidates: Iterable[Candidate]) -> bool:
        """Postpone a send of the fast path with unknown names to the planner; return whether it was."""
        if not self._is_young(send) or not any(one.is_unknown for one in candidates):
            return False
        now, longest = self._monotonic(), self._longest(send)
        while self._waiting and self._waiting[0] < now - longest:
            self._waiting.popleft()
        if len(self._waiting) >= MAX_WAITING:
            return False
        self._waiting.append(now)
        send.plan_due = self._clock() + timedelta(seconds=LOOKUP_PAUSE_SECONDS)
        send.looks = 1
        return True

    def _is_young(self, send: Send) -> bool:
        return send.looks < MAX_LOOKUPS and self._age(send) < self._longest(send)

    def _age(self, send: Send) -> float:
        return (self._clock() - send.created_at).total_seconds()

    def _moment(self, send: Send) -> float:
        """Return when the trigger was accepted, by the monotonic clock."""
        return self._monotonic() - max(0.0, self._age(send))

    @staticmethod
    def _longest(send: Send) -> float:
        return LONGEST_SECONDS.get(send.priority, LONGEST_OTHERS_SECONDS)
