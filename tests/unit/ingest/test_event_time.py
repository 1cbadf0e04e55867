"""Times of events: browsers' clocks against ours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ingest_service.parsing.event_time import OLDEST, clock_skew, correct

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_clock_that_is_off_is_corrected() -> None:
    error = clock_skew(NOW + HOUR, NOW)
    assert correct(NOW + HOUR - timedelta(seconds=30), error, NOW) == NOW - timedelta(seconds=30)


def test_late_clock_is_corrected() -> None:
    error = clock_skew(NOW - HOUR, NOW)
    assert correct(NOW - HOUR - timedelta(seconds=30), error, NOW) == NOW - timedelta(seconds=30)


def test_network_is_not_a_clock_error() -> None:
    assert clock_skew(NOW - timedelta(seconds=2), NOW) == timedelta(0)


def test_without_sent_at_nothing_is_shifted() -> None:
    assert correct(NOW - HOUR, clock_skew(None, NOW), NOW) == NOW - HOUR


def test_future_is_now() -> None:
    assert correct(NOW + HOUR, timedelta(0), NOW) == NOW


def test_past_is_clamped() -> None:
    assert correct(NOW - 2 * OLDEST, timedelta(0), NOW) == NOW - OLDEST


def test_absent_is_now() -> None:
    assert correct(None, HOUR, NOW) == NOW


def test_ends_of_time_do_not_overflow() -> None:
    last = datetime.max.replace(tzinfo=UTC)
    first = datetime.min.replace(tzinfo=UTC)
    assert correct(last, HOUR, NOW) == NOW
    assert correct(first, -HOUR, NOW) == NOW - OLDEST
