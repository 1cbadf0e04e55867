"""Clock that tests set by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


class ManualClock:
    """Wall clock and monotonic clock in one; only `advance` moves them."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self._passed = 0.0

    def __call__(self) -> datetime:
        return self._start + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        return self._passed

    def advance(self, seconds: float) -> None:
        self._passed += seconds
