"""Begin of the log, by the records that were read."""

from __future__ import annotations

from datetime import datetime

import pytest

from sender_service.scenarios.moment_scan import LogBegin, at_of
from shared.kafka.records import Offsets, Record
from tests.support.clocks import START
from tests.unit.sender.scenario_builders import DAY, HOUR, MINUTE

T = "carillon.moments"


def record(partition: int, offset: int, at: datetime) -> Record:
    return Record(T, partition, offset, b"", b"", "", int(at.timestamp() * 1_000))


def by_partition(offsets: tuple[int, int]) -> Offsets:
    return {(T, place): offset for place, offset in enumerate(offsets)}


@pytest.mark.parametrize(
    ("firsts", "starts", "records", "known_since"),
    [
        ((0, 0), (0, 0), [], None),
        ((0, 0), (7, 0), [(0, 7, START)], None),  # it goes back
        ((0, 0), (0, 0), [(0, 0, START)], START),  # a young log
        ((0, 0), (0, 0), [(0, 0, START), (1, 0, START + HOUR), (0, 1, START + HOUR)], START),
        ((0, 0), (0, 5), [(1, 5, START), (0, 0, START + HOUR)], None),  # only one is young
        ((0, 0), (0, 5), [(0, 0, START)], None),  # the other has nothing later
        ((7, 3), (7, 3), [(0, 7, START), (1, 3, START + MINUTE)], START + MINUTE),  # dropped
        ((7, 0), (7, 0), [(1, 0, START), (0, 7, START + HOUR)], START + HOUR),
        ((7, 0), (7, 0), [(0, 7, START - 2 * DAY), (1, 0, START)], None),  # from before `since`
    ],
)
def test_log_that_begins_later_shows_since_when(
    firsts: tuple[int, int],
    starts: tuple[int, int],
    records: list[tuple[int, int, datetime]],
    known_since: datetime | None,
) -> None:
    begin = LogBegin(START - DAY, by_partition(firsts), by_partition(starts))
    for one in records:
        begin.look_at(record(*one))
    assert begin.known_since == known_since


def test_time_of_a_record_is_exact() -> None:
    assert at_of(record(0, 0, START)) == START
