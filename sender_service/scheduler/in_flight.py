"""Limit on calls that the fast path has released and no provider has answered yet."""

from __future__ import annotations

from sender_service.providers.base import Providers, request_rate
from shared.clock import Monotonic
from shared.models.app import App


class InFlightLimit:
    """Limit on an app's released calls. Released calls drain at the app's rate."""

    # Jobs are called in the order of their topic: one app's flood would delay all others.

    def __init__(self, providers: Providers, seconds: float, monotonic: Monotonic) -> None:
        self._providers = providers
        self._seconds = seconds
        self._monotonic = monotonic
        self._out: dict[str, tuple[float, float]] = {}  # app → calls out, when

    def room(self, app: App) -> int:
        """Return how many more calls may be released now."""
        rate = request_rate(self._providers, app)
        return max(0, int(rate * self._seconds - self._left(app, rate)))

    def taken(self, app: App, calls: int) -> None:
        """Count released calls."""
        left = self._left(app, request_rate(self._providers, app))
        self._out[app.id] = left + calls, self._monotonic()

    def _left(self, app: App, rate: float) -> float:
        out, when = self._out.get(app.id, (0.0, 0.0))
        return max(0.0, out - (self._monotonic() - when) * rate)
