"""Quiet hours in every zone, at every minute around its clock changes: properties, and by search."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from shared.locales import known_time_zones
from shared.models.quiet_hours import QuietHours
from tests.support.zones import (
    AROUND,
    DAY,
    MINUTE,
    ClockChange,
    Minutes,
    clock_changes,
    kinds_of_zones,
)

NEAR = 130  # minutes before and after a change that are looked at one by one
A_BIT = timedelta(microseconds=1)
MINUTES = st.integers(0, DAY - 1)
ZONES = st.sampled_from(sorted(known_time_zones()))
CHANGING = st.sampled_from([zone for zone in kinds_of_zones() if clock_changes(zone)])


def hours(start: int, end: int) -> QuietHours:
    """Return quiet hours from and to these minutes of the day."""
    written = [f"{of % DAY // 60:02}:{of % 60:02}" for of in (start, end)]
    return QuietHours.model_validate({"from": written[0], "to": written[1]})


def check_night(night: QuietHours, zone: str, now: datetime, until: datetime | None) -> None:
    """Check what holds of every night: its end is later, isn't quiet, and is the same until then."""
    assert night.until(now, zone) == until
    if until is not None:
        assert until > now
        assert night.until(until, zone) is None
        assert night.until(until - A_BIT, zone) == until
        assert night.until(now + (until - now) / 2, zone) == until
    start = night.next_start(now, zone)
    assert (start is None) == night.is_empty
    if start is not None:
        assert start > now
        assert night.until(start, zone) is not None
        assert night.until(start - A_BIT, zone) is None
        free_from = until or now
        assert night.until(free_from + (start - free_from) / 2, zone) is None


def nights_around(change: ClockChange) -> list[tuple[int, int]]:
    """Return quiet hours whose start or end is skipped or repeated by the change."""
    utc = change.at.hour * 60 + change.at.minute
    low, high = sorted(((utc + change.before) % DAY, (utc + change.after) % DAY))
    middle = (low + high) // 2
    nights = [
        (22 * 60, middle),
        (middle, 5 * 60),
        (low, high),
        (middle + 10, middle - 10),
        (22 * 60, low),
    ]
    return [(start, end) for start, end in nights if (start - end) % DAY]


@pytest.mark.parametrize("zone", [zone for zone in kinds_of_zones() if clock_changes(zone)])
def test_nights_are_those_that_a_search_finds(zone: str) -> None:
    for change in clock_changes(zone):
        minutes = Minutes.around(change.at, zone)
        for start, end in nights_around(change):
            night, ends = hours(start, end), minutes.ends_of_quiet(start % DAY, end % DAY)
            for n in range(AROUND - NEAR, AROUND + NEAR):
                stop = ends[n]
                until = None if stop is None else minutes.first + stop * MINUTE
                assert night.until(minutes.first + n * MINUTE, zone) == until, (start, end, n)


@given(zone=CHANGING, start=MINUTES, end=MINUTES, at=st.data())
def test_nights_near_clock_changes(zone: str, start: int, end: int, at: st.DataObject) -> None:
    change = at.draw(st.sampled_from(clock_changes(zone)))
    assume(start != end)
    minutes, night = Minutes.around(change.at, zone), hours(start, end)
    ends = minutes.ends_of_quiet(start, end)
    for n in at.draw(
        st.lists(st.integers(AROUND - DAY // 3, AROUND + DAY // 3), min_size=10, max_size=40)
    ):
        stop = ends[n]
        until = None if stop is None else minutes.first + stop * MINUTE
        seconds = timedelta(seconds=at.draw(st.integers(0, 59)))
        check_night(night, zone, minutes.first + n * MINUTE + seconds, until)


@given(
    zone=ZONES,
    start=MINUTES,
    end=MINUTES,
    now=st.datetimes(datetime(2025, 1, 1), datetime(2030, 12, 31)),
)
@example("Pacific/Apia", 22 * 60, 8 * 60, datetime(2011, 12, 30, 9))
@example("Pacific/Apia", 0, 23 * 60 + 59, datetime(2011, 12, 30, 10))
def test_nights_of_every_zone_end_once(zone: str, start: int, end: int, now: datetime) -> None:
    assume(start != end)
    night = hours(start, end)
    utc = now.replace(tzinfo=UTC)
    check_night(night, zone, utc, night.until(utc, zone))
