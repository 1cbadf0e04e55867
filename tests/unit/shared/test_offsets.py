"""Tests that only what lies before the first unfinished unit may be committed, whatever ends first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.kafka.records import Partition, Record
from shared.stage.offsets import OffsetTracker, Unit


def _record(partition: int, offset: int) -> Record:
    return Record("topic", partition, offset, b"", b"", "", 0)


def _unit(ledger: OffsetTracker, partition: int, first: int, last: int) -> Unit:
    return ledger.open([_record(partition, offset) for offset in range(first, last + 1)])


def test_later_unit_waits_for_the_earlier() -> None:
    ledger = OffsetTracker()
    first, second = _unit(ledger, 0, 0, 4), _unit(ledger, 0, 5, 9)
    second.done = True
    assert ledger.ready() == {}
    first.done = True
    assert ledger.ready() == {("topic", 0): 10}


def test_what_is_read_and_not_done_is_behind() -> None:
    ledger = OffsetTracker()
    assert ledger.oldest() is None and ledger.unfinished() == {}
    first, second = _unit(ledger, 0, 0, 4), _unit(ledger, 1, 0, 2)
    assert ledger.unfinished() == {"topic": 8}
    second.done = True
    assert ledger.unfinished() == {"topic": 5} and ledger.oldest() is first.records[0]
    first.done = True
    assert sum(ledger.unfinished().values()) == 0 and ledger.oldest() is None


def test_partitions_do_not_wait_for_each_other() -> None:
    ledger = OffsetTracker()
    _unit(ledger, 0, 0, 4)
    _unit(ledger, 1, 7, 7).done = True
    assert ledger.ready() == {("topic", 1): 8}


def test_committed_is_not_offered_again() -> None:
    ledger = OffsetTracker()
    _unit(ledger, 0, 0, 4).done = True
    ledger.committed(ledger.ready())
    assert ledger.ready() == {}


def test_refused_commit_is_offered_again() -> None:
    ledger = OffsetTracker()
    _unit(ledger, 0, 0, 4).done = True
    assert ledger.ready() == ledger.ready() == {("topic", 0): 5}


def test_commit_that_was_overtaken_is_not_forgotten() -> None:
    ledger = OffsetTracker()
    _unit(ledger, 0, 0, 4).done = True
    earlier = ledger.ready()
    _unit(ledger, 0, 5, 6).done = True
    assert ledger.ready() == {("topic", 0): 7}
    ledger.committed(earlier)
    assert ledger.ready() == {("topic", 0): 7}


@given(
    st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=5), min_size=1, max_size=12),
    st.data(),
)
def test_never_beyond_the_first_unfinished_record(
    polls: list[list[int]], data: st.DataObject
) -> None:
    ledger = OffsetTracker()
    ends = [0, 0, 0]
    units: list[Unit] = []
    for partitions in polls:
        records = []
        for partition in sorted(partitions):
            records.append(_record(partition, ends[partition]))
            ends[partition] += 1
        units.append(ledger.open(records))
    for unit in data.draw(st.permutations(units)):
        unit.done = True
        ready = ledger.ready()
        ledger.committed(ready)
        for place, after in ready.items():
            assert after == _first_unfinished(units, place, ends)


def _first_unfinished(units: list[Unit], place: Partition, ends: list[int]) -> int:
    open_offsets = [
        r.offset for u in units if not u.done for r in u.records if (r.topic, r.partition) == place
    ]
    return min(open_offsets, default=ends[place[1]])
