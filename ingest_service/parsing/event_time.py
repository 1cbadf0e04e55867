"""Times of events, corrected for wrong clocks and late queues of browsers."""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.clock import whole_milliseconds

# Smaller differences are the network's: correcting them would reorder one browser's events.
TOLERANCE = timedelta(seconds=5)
OLDEST = timedelta(days=30)  # the events topic keeps as much


def clock_skew(sent_at: datetime | None, received_at: datetime) -> timedelta:
    """Return the correction of a sender's times; zero if the network can explain the difference."""
    if sent_at is None:
        return timedelta(0)
    error = received_at - sent_at
    return error if abs(error) > TOLERANCE else timedelta(0)


def correct(occurred_at: datetime | None, error: timedelta, received_at: datetime) -> datetime:
    """Return the corrected time in whole milliseconds, neither in the future nor older than OLDEST."""
    if occurred_at is None:
        return received_at
    oldest = received_at - OLDEST
    try:
        corrected = occurred_at + error if error else occurred_at
    except OverflowError:
        return received_at if error > timedelta(0) else oldest
    if corrected > received_at:
        return received_at
    return oldest if corrected < oldest else whole_milliseconds(corrected)
