"""The spool: a queue on disk that is bounded by its owner, and survives its process."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingest_service.durable.spool import ROW_BYTES, Spool, SpoolFailed, size_of
from shared.errors import Rejected
from shared.kafka.records import OutgoingRecord

SYNCED = {"journal_mode": "wal", "synchronous": 2}  # 2: FULL


def records(*numbers: int, size: int = 10) -> list[OutgoingRecord]:
    return [
        OutgoingRecord("carillon.events", f"v{n}", str(n).encode().rjust(size), "pageview")
        for n in numbers
    ]


def values(found: list[OutgoingRecord]) -> list[int]:
    return [int(record.value) for record in found]


def test_first_in_first_out(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "deep" / "spool.sqlite")
    assert spool.first(5) == (0, [])
    spool.append(records(1, 2, 3))
    spool.append(records(4))
    last, found = spool.first(3)
    assert values(found) == [1, 2, 3]
    assert found[0] == OutgoingRecord("carillon.events", b"v1", b"         1", "pageview")
    spool.remove(last, found)
    assert values(spool.first(3)[1]) == [4]
    assert (spool.count, spool.size) == (1, size_of(records(4)))
    spool.close()


def test_numbers_are_not_used_again(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool.sqlite")
    spool.append(records(1))
    last, found = spool.first(9)
    spool.remove(last, found)
    spool.append(records(2))
    spool.remove(last, [])
    assert values(spool.first(9)[1]) == [2]
    spool.close()


def test_what_is_in_it_is_known_to_the_next(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool.sqlite")
    spool.append(records(1, 2, size=5_000))
    kept = spool.size
    spool.close()
    again = Spool(tmp_path / "spool.sqlite")
    assert (again.count, again.size) == (2, kept) == (2, 2 * (5_000 + 2 + ROW_BYTES))
    assert values(again.first(9)[1]) == [1, 2]
    again.close()


def test_size_on_disk_is_near_what_is_counted_and_given_back(tmp_path: Path) -> None:
    path = tmp_path / "spool.sqlite"
    spool = Spool(path)
    for start in range(0, 10_000, 500):
        spool.append(records(*range(start, start + 500), size=600))
    on_disk = sum(file.stat().st_size for file in tmp_path.iterdir())
    assert on_disk < spool.size * 1.25 + 5 * 1024**2  # and the write-ahead log
    while spool.count:
        last, found = spool.first(1_000)
        spool.remove(last, found)
    assert spool.size == 0
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 64 * 1024
    spool.close()


def test_belongs_to_one_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest_service.durable.spool.SPOOL_LOCK_SECONDS", 0.05)
    spool = Spool(tmp_path / "spool.sqlite")
    with pytest.raises(Rejected, match="CARILLON_DATA_DIR"):
        Spool(tmp_path / "spool.sqlite")
    spool.append(records(1))
    spool.close()


def test_something_else_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "spool.sqlite"
    path.write_bytes(b"a letter" * 1_000)
    with pytest.raises(Rejected):
        Spool(path)
    assert path.read_bytes() == b"a letter" * 1_000


def test_a_full_disk_refuses_all_of_it(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool.sqlite")
    spool.append(records(1))
    spool._file.execute("PRAGMA max_page_count=10")
    with pytest.raises(SpoolFailed) as refused:
        spool.append(records(2, 3, size=30_000))
    assert isinstance(refused.value.__cause__, sqlite3.Error)
    assert values(spool.first(9)[1]) == [1] and spool.count == 1
    spool.append(records(4))
    assert values(spool.first(9)[1]) == [1, 4]
    spool.close()


@contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    """Fill the disk without a mount: no file may be longer than `size`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_b4_what_left_a_full_disk_is_not_given_again(tmp_path: Path) -> None:
    path = tmp_path / "spool.sqlite"
    spool = Spool(path)
    spool.append(records(1, 2, 3, size=5_000))
    with no_file_longer_than(path.with_name("spool.sqlite-wal").stat().st_size):
        with pytest.raises(SpoolFailed):
            spool.append(records(4))
        last, found = spool.first(2)
        with pytest.raises(SpoolFailed):
            spool.remove(last, found)
        assert spool.is_failing and spool.count == 1
        assert spool.size == size_of(records(1, 2, 3, size=5_000))  # still on disk
        with pytest.raises(SpoolFailed):
            spool.prove(1_000)
        last, found = spool.first(2)
        assert values(found) == [3]
        spool.remove(last, found)  # the last: the file is replaced, which needs no room
        assert (spool.count, spool.size) == (0, 0)
        spool.prove(1_000)
        assert not spool.is_failing
        spool.append(records(5))
    assert values(spool.first(9)[1]) == [5]
    spool.close()
    again = Spool(path)
    assert values(again.first(9)[1]) == [5]
    again.close()


def test_every_append_is_synced(tmp_path: Path) -> None:
    # A 202 outlives a power cut, which no test can make: SQLite's settings must do.
    spool = Spool(tmp_path / "spool.sqlite")
    pragmas = [spool._file.execute(f"PRAGMA {name}").fetchone()[0] for name in SYNCED]
    assert dict(zip(SYNCED, pragmas, strict=True)) == SYNCED
    spool.close()
