"""Throttle an app's rate after a 429: less at first, then steadily more. Pure.

Only the provider knows the limit: a dashboard or another system may use it too, or the plan may be set
wrong. Without a throttle every pause would end with the rate that led to it.
"""

from __future__ import annotations

from shared.clock import Monotonic

LEAST = 0.25
RECOVERY_SECONDS = 30.0  # from 0 to 1


class AimdThrottle:
    """Throttle that a 429 halves, once for all calls in flight; it recovers steadily."""

    def __init__(self, monotonic: Monotonic) -> None:
        self._monotonic = monotonic
        self._share = 1.0
        self._since = 0.0
        self._paused_until = 0.0

    @property
    def share(self) -> float:
        """Share of the rate in [LEAST, 1]; it doesn't recover during the pause."""
        passed = max(0.0, self._monotonic() - self._since)
        return min(1.0, self._share + passed / RECOVERY_SECONDS)

    def refused(self, pause: float) -> None:
        """Halve the share, and begin a pause of so many seconds."""
        now = self._monotonic()
        if now >= self._paused_until:
            self._share = max(LEAST, self.share / 2)
        self._paused_until = max(self._paused_until, now + pause)
        self._since = self._paused_until
