"""Time is an argument: wall clock for what is recorded, monotonic for what is waited for."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

Clock = Callable[[], datetime]
Monotonic = Callable[[], float]

# Names a file that says by how many seconds this process's wall clock is wrong: tests let clocks
# differ, and step while the process runs (docs/faults.md). Without it nothing is looked at.
OFFSET_FILE = "CARILLON_CLOCK_OFFSET_FILE"
LOOK_SECONDS = 0.1


def true_now() -> datetime:
    """Now, UTC, in whole milliseconds: what MongoDB can hold."""
    return _utc(time.time())


def wrong_clock(offset: Path, ticks: Monotonic = time.monotonic) -> Clock:
    """Off by what the file holds, which is looked at again now and then; without a file, right."""
    looked, seconds = -math.inf, 0.0

    def now() -> datetime:
        nonlocal looked, seconds
        if ticks() - looked >= LOOK_SECONDS:
            looked = ticks()
            seconds = float(offset.read_text()) if offset.exists() else 0.0
        return _utc(time.time() + seconds)

    return now


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(int(seconds * 1000) / 1000, UTC)


def whole_milliseconds(moment: datetime) -> datetime:
    """What MongoDB can hold: the rest is cut off."""
    rest = moment.microsecond % 1000
    return moment.replace(microsecond=moment.microsecond - rest) if rest else moment


def as_utc(moment: datetime) -> datetime:
    """The same moment with an explicit UTC zone; a naive one is taken as UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


monotonic: Monotonic = time.monotonic
_offset_file = os.environ.get(OFFSET_FILE)
utc_now: Clock = wrong_clock(Path(_offset_file)) if _offset_file else true_now
