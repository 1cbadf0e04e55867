"""Clock changes of the world's zones, and nights found minute by minute."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from itertools import accumulate
from zoneinfo import ZoneInfo

from shared.locales import known_time_zones

FIRST = datetime(2025, 1, 1, tzinfo=UTC)
LAST = datetime(2031, 1, 1, tzinfo=UTC)
STEP = timedelta(days=5)  # no zone changes its clocks twice within
MINUTE = timedelta(minutes=1)
DAY = 24 * 60  # minutes
AROUND = 38 * 60  # minutes before and after an instant
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class ClockChange:
    """Clock change: its first instant, and the offset before and after it, in minutes."""

    at: datetime
    before: int
    after: int


def offset_minutes(zone: str, at: datetime) -> int:
    offset = at.astimezone(ZoneInfo(zone)).utcoffset()
    assert offset is not None
    assert offset % MINUTE == timedelta(0)
    return offset // MINUTE


@cache
def clock_changes(zone: str) -> tuple[ClockChange, ...]:
    """Return the zone's clock changes from 2025 to 2030."""
    found = []
    at, offset = FIRST, offset_minutes(zone, FIRST)
    while at < LAST:
        after = offset_minutes(zone, at + STEP)
        if after != offset:
            found.append(ClockChange(_find_change(zone, at, at + STEP), offset, after))
        at, offset = at + STEP, after
    return tuple(found)


def _find_change(zone: str, before: datetime, after: datetime) -> datetime:
    offset = offset_minutes(zone, before)
    while after - before > MINUTE:
        middle = before + (after - before) // 2 // MINUTE * MINUTE
        if offset_minutes(zone, middle) == offset:
            before = middle
        else:
            after = middle
    return after


@cache
def kinds_of_zones() -> tuple[str, ...]:
    """Return one zone of all those with the same clock, from 2025 to 2030."""
    kinds = {
        (offset_minutes(zone, FIRST), clock_changes(zone)): zone
        for zone in sorted(known_time_zones())
    }
    return tuple(sorted(kinds.values()))


@dataclass(frozen=True)
class Minutes:
    """Minutes of some days around an instant, with the time on the zone's clocks at each."""

    first: datetime
    local: tuple[int, ...]  # minutes since 1970 on the clock on the wall

    @classmethod
    def around(cls, at: datetime, zone: str) -> Minutes:
        first = at - AROUND * MINUTE
        offsets = [offset_minutes(zone, first)] * (2 * AROUND)
        for change in clock_changes(zone):
            begin = (change.at - first) // MINUTE
            if 0 < begin < len(offsets):
                offsets[begin:] = [change.after] * (len(offsets) - begin)
        begin = (first - EPOCH) // MINUTE
        return cls(first, tuple(begin + n + offset for n, offset in enumerate(offsets)))

    @cached_property
    def reached(self) -> list[int]:
        """Return the latest local time until each minute."""
        return list(accumulate(self.local, max))

    @cached_property
    def to_come(self) -> list[int]:
        """Return the earliest local time from each minute on."""
        return list(accumulate(reversed(self.local), min))[::-1]

    def ends_of_quiet(self, start: int, end: int) -> list[int | None]:
        """Return for each minute the one that ends the quiet hours it is in; None outside them.

        A night begins when its local time is reached, and ends when that has come last.
        """
        quiet = [False] * len(self.local)
        for day in range(self.local[0] // DAY - 1, self.local[-1] // DAY + 2):
            begin = bisect_left(self.reached, day * DAY + start)
            last = (day + (start > end)) * DAY + end
            stop = bisect_right(self.to_come, last)
            if stop and self.local[stop - 1] == last:
                stop -= 1
            quiet[begin:stop] = [True] * max(0, stop - begin)
        return _ends(quiet)


def _ends(quiet: Sequence[bool]) -> list[int | None]:
    """Return for each quiet minute the first after it that isn't."""
    ends: list[int | None] = []
    end: int | None = None
    for n in range(len(quiet) - 1, -1, -1):
        end = (n + 1 if end is None else end) if quiet[n] else None
        ends.append(end)
    return ends[::-1]
