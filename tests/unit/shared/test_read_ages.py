"""Age of what a reader has to do, by partition."""

from __future__ import annotations

import pytest

from shared.kafka.read_progress import ReadUpTo
from shared.stage.reading import age_of

NOW = 1_000_000.0


def ms_ago(seconds: float) -> int:
    return int(NOW - seconds * 1000)


def at_end(fetch_age: float, last: int | None = None) -> ReadUpTo:
    return ReadUpTo(is_at_end=True, fetch_age=fetch_age, end_age=fetch_age, last_ms=last)


def behind(end_age: float | None, last: int | None, fetch_age: float = 0.1) -> ReadUpTo:
    return ReadUpTo(is_at_end=False, fetch_age=fetch_age, end_age=end_age, last_ms=last)


@pytest.mark.parametrize(
    ("place", "unfinished", "age"),
    [
        (at_end(0.3), None, 0),
        # A fetch that met the end some seconds ago says nothing of the events since; later even less.
        (at_end(4.0), None, 4_000),
        (at_end(10.5), None, None),
        # What is under way counts, whatever fetches say.
        (at_end(0.3), ms_ago(7), 7_000),
        (at_end(60.0), ms_ago(7), 7_000),
        (behind(1.0, ms_ago(2)), ms_ago(7), 7_000),
        # Unread ones are younger than the last that was read, and than the last look at the end.
        (behind(None, ms_ago(200)), None, 200_000),
        (behind(3.0, ms_ago(86_400)), None, 3_000),
        (behind(3.0, ms_ago(1)), None, 1_000),
        (behind(3.0, None), None, 3_000),
        (behind(None, None), None, None),
        # 0 only at the end, also where the publisher's clock is ahead.
        (behind(None, ms_ago(-90)), None, 1),
        (at_end(0.3), ms_ago(-90), 1),
    ],
)
def test_the_age_of_the_oldest_record_that_is_not_done(
    place: ReadUpTo, unfinished: int | None, age: int | None
) -> None:
    assert age_of(place, unfinished, NOW) == age
