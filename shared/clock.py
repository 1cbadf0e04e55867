"""Time is an argument: wall clock for what is recorded, monotonic for what is waited for."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

Clock = Callable[[], datetime]
Monotonic = Callable[[], float]

# Names a file with the seconds by which this process's wall clock is wrong: tests let clocks
# differ, and step while the process runs (docs/faults.md). Without it no file is read.
OFFSET_FILE = "CARILLON_CLOCK_OFFSET_FILE"
OFFSET_READ_SECONDS = 0.1
CLOCK_SKEW = timedelta(minutes=1)  # replicas' clocks differ


def true_now() -> datetime:
    """Return the time in UTC, in whole milliseconds, as MongoDB holds it."""
    return _utc(time.time())


def wrong_clock(offset: Path, ticks: Monotonic = time.monotonic) -> Clock:
    """Return a clock that is wrong by the seconds in a file.

    The file is read again at most every OFFSET_READ_SECONDS. Without it the clock is right.
    """
    checked, seconds = -math.inf, 0.0

    def now() -> datetime:
        nonlocal checked, seconds
        if ticks() - checked >= OFFSET_READ_SECONDS:
            checked = ticks()
            seconds = float(offset.read_text()) if offset.exists() else 0.0
        return _utc(time.time() + seconds)

    return now


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(int(seconds * 1000) / 1000, UTC)


def whole_milliseconds(moment: datetime) -> datetime:
    """Return the moment without its microseconds, which MongoDB can't hold."""
    rest = moment.microsecond % 1000
    return moment.replace(microsecond=moment.microsecond - rest) if rest else moment


def as_utc(moment: datetime) -> datetime:
    """Return the same moment with an explicit UTC zone; a naive one is taken as UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


monotonic: Monotonic = time.monotonic
_offset_file = os.environ.get(OFFSET_FILE)
utc_now: Clock = wrong_clock(Path(_offset_file)) if _offset_file else true_now
