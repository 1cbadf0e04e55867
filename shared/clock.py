"""Time is an argument: wall clock for what is recorded, monotonic for what is waited for."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
Monotonic = Callable[[], float]

# How wrong this process's wall clock is: tests run replicas whose clocks differ (docs/faults.md).
OFFSET_SECONDS = float(os.environ.get("CARILLON_CLOCK_OFFSET_SECONDS") or 0)


def utc_now() -> datetime:
    """Now, UTC, in whole milliseconds: what MongoDB can hold."""
    return datetime.fromtimestamp(int((time.time() + OFFSET_SECONDS) * 1000) / 1000, UTC)


def whole_milliseconds(moment: datetime) -> datetime:
    """What MongoDB can hold: the rest is cut off."""
    rest = moment.microsecond % 1000
    return moment.replace(microsecond=moment.microsecond - rest) if rest else moment


def as_utc(moment: datetime) -> datetime:
    """The same moment with an explicit UTC zone; a naive one is taken as UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


monotonic: Monotonic = time.monotonic
