"""How much of its share of the rate an app uses after OneSignal said 429: less, then more again. Pure.

The limit is OneSignal's to know: others may use it too (a dashboard, another system), or a plan may be
set wrong. Without caution every pause would end with the rate that led to it.
"""

from __future__ import annotations

from shared.clock import Monotonic

LEAST = 0.25
RECOVERY_SECONDS = 30.0  # from nothing to all of it


class AimdThrottle:
    """Halved by a 429, but once for all calls that were under way; it recovers steadily."""

    def __init__(self, monotonic: Monotonic) -> None:
        self._monotonic = monotonic
        self._share = 1.0
        self._since = 0.0
        self._paused_until = 0.0

    @property
    def share(self) -> float:
        """In [LEAST, 1]; it doesn't recover during the pause."""
        passed = max(0.0, self._monotonic() - self._since)
        return min(1.0, self._share + passed / RECOVERY_SECONDS)

    def refused(self, pause: float) -> None:
        """OneSignal wants a pause of so many seconds."""
        now = self._monotonic()
        if now >= self._paused_until:
            self._share = max(LEAST, self.share / 2)
        self._paused_until = max(self._paused_until, now + pause)
        self._since = self._paused_until
