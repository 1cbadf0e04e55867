"""Times of one visitor rise within a request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from ingest_service.collect.ordering import make_times_rise

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def at(*milliseconds: int, visitor: str = "v") -> list[dict[str, Any]]:
    return [
        {"visitorId": visitor, "occurredAt": NOW + timedelta(milliseconds=ms)}
        for ms in milliseconds
    ]


def risen(*milliseconds: int) -> list[int]:
    events = at(*milliseconds)
    make_times_rise(events)
    return [(event["occurredAt"] - NOW) // timedelta(milliseconds=1) for event in events]


def test_f02_equal_times_rise_in_order_and_none_is_later_than_it_was() -> None:
    assert risen(0, 0, 0) == [-2, -1, 0]
    assert risen(0, 1, 1, 5) == [-1, 0, 1, 5]
    assert risen(5, 5, 4) == [5 - 1, 5, 4 - 1]


def test_f02_different_times_stay_whatever_their_order() -> None:
    assert risen(3, 1, 2) == [3, 1, 2]
    assert risen(7) == [7]


def test_f02_visitors_dont_trouble_each_other() -> None:
    events = [*at(0, visitor="a"), *at(0, visitor="b")]
    make_times_rise(events)
    assert {event["occurredAt"] for event in events} == {NOW}
