"""The spool: events that Kafka can't take now, on disk in order of arrival, in one SQLite file.

Every call blocks (an append until the disk has synced), so all run on one thread of their own.
A full disk can't delete either, because SQLite writes before it deletes. Published records are then
skipped in memory, and an empty file replaces the file once all are published.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from shared.errors import LogUnavailable, Rejected
from shared.kafka.records import OutgoingRecord

ROW_BYTES = 64  # what a row takes beside its key and its value, about
SPOOL_LOCK_SECONDS = 5.0  # a process that is ending still locks the file

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    topic TEXT NOT NULL, key BLOB NOT NULL, type TEXT NOT NULL, value BLOB NOT NULL
)
"""
_APPEND = "INSERT INTO records (topic, key, type, value) VALUES (?, ?, ?, ?)"
_TOTALS = f"SELECT count(*), total(length(key) + length(value) + {ROW_BYTES}) FROM records"
_FIRST = (
    "SELECT number, topic, key, type, value FROM records WHERE number > ? ORDER BY number LIMIT ?"
)
_PROBE = "CREATE TABLE IF NOT EXISTS probe (id INTEGER PRIMARY KEY, value BLOB)"
FULL_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class SpoolFull(LogUnavailable):
    """Kafka is away and the spool is at its limit."""

    code = "spool_full"


class SpoolFailed(LogUnavailable):
    """The disk is full or broken."""

    code = "spool_failed"


def size_of(records: Sequence[OutgoingRecord]) -> int:
    """Return the bytes that the records take of the limit."""
    return sum(len(r.key) + len(r.value) + ROW_BYTES for r in records)


class Spool:
    """A queue that survives a crash, with a `count` of records and a `size` in bytes of the limit.

    `is_failing` is set when a write fails, until `prove` has written to the disk.
    """

    def __init__(self, path: Path) -> None:
        """Open the file. Raises Rejected where another process has it, or it is no spool."""
        self.count = 0
        self.size = 0
        self.is_failing = False
        self._path = path
        self._is_open = False
        self._removed = 0  # number of the last removed record: an undeleted one is published once
        self._undeleted = 0  # bytes that have left the queue and not the disk
        try:
            self._open()
        except (OSError, sqlite3.Error) as exc:
            if not self._is_only_full(exc):
                raise Rejected(
                    f"the spool {path} can't be used ({exc}); one process each:"
                    " set CARILLON_DATA_DIR",
                    code="spool_unusable",
                ) from exc
            self.is_failing = True  # without any spool Kafka still takes events

    def _open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.touch(mode=0o600)  # its events are personal data
        self._file = sqlite3.connect(
            self._path, timeout=SPOOL_LOCK_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=FULL"):
                self._file.execute(f"PRAGMA {pragma}")
            self._file.execute(_SCHEMA)
            self.count, size = self._file.execute(_TOTALS).fetchone()
        except sqlite3.Error:
            self._file.close()
            raise
        self.size = int(size)
        self._removed = self._undeleted = 0
        self._is_open = True

    def _is_only_full(self, exc: OSError | sqlite3.Error) -> bool:
        """Return whether a full disk is the only problem, and no record is in the file."""
        is_full = (
            exc.errno in FULL_ERRORS
            if isinstance(exc, OSError)
            else exc.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
        )
        return is_full and not (self._path.exists() and self._path.stat().st_size)

    def append(self, records: Sequence[OutgoingRecord]) -> None:
        """Append all records and sync the disk. Raises SpoolFailed, and appends none then."""
        with self._transaction():
            rows = ((r.topic, _bytes(r.key), r.type, r.value) for r in records)
            self._file.executemany(_APPEND, rows)
        self.count += len(records)
        self.size += size_of(records)

    def first(self, count: int) -> tuple[int, list[OutgoingRecord]]:
        """Return the number of the last of the `count` oldest records, for `remove`, and the records."""
        with self._writing():
            rows = self._file.execute(_FIRST, (self._removed, count)).fetchall()
        return rows[-1][0] if rows else 0, [
            OutgoingRecord(t, k, v, type_) for _, t, k, type_, v in rows
        ]

    def remove(self, last: int, records: Sequence[OutgoingRecord]) -> None:
        """Remove the records that `first` returned. An empty spool frees its disk space.

        Raises SpoolFailed where the disk can't delete; the records have left the queue all the same.
        """
        waiting = self.count - len(records)
        self._removed = last
        self._undeleted += size_of(records)
        try:
            if waiting:
                self._delete(last)
            else:
                self._empty()
        finally:
            self.count = waiting  # last: another thread takes none waiting for an empty spool

    def _delete(self, last: int) -> None:
        with self._transaction():
            self._file.execute("DELETE FROM records WHERE number <= ?", (last,))
        self.size -= self._undeleted
        self._undeleted = 0

    def prove(self, size: int) -> None:
        """Write and delete `size` bytes, as an append would. Raises SpoolFailed."""
        with self._translated():
            if not self._is_open:
                self._open()
        if self.count == 0 and self.size:
            self._empty()
        with self._transaction():
            self._file.execute(_PROBE)
            self._file.execute("INSERT OR REPLACE INTO probe VALUES (1, zeroblob(?))", (size,))
        with self._transaction():
            self._file.execute("DELETE FROM probe")
        self.is_failing = False

    def close(self) -> None:
        if self._is_open:
            self._file.close()
            self._is_open = False

    def _empty(self) -> None:
        with self._writing():
            try:
                self._file.execute("DELETE FROM records")
                self._file.execute("VACUUM")
                self._file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                self.size = self._undeleted = 0
            except sqlite3.Error:
                self._replace()

    def _replace(self) -> None:
        """Replace the file of an empty queue by an empty file; this needs no free space."""
        self.close()
        self._path.unlink()  # first: a write-ahead log without its file is dropped
        self._path.with_name(f"{self._path.name}-wal").unlink(missing_ok=True)
        self.size = self._undeleted = 0
        self._open()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._writing():
            self._file.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._file.execute("COMMIT")
            except BaseException:
                if self._file.in_transaction:  # SQLite itself rolls back on a full disk
                    self._file.execute("ROLLBACK")
                raise

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._translated():
            if not self._is_open:
                raise OSError("the spool has no file")
            yield

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as exc:
            self.is_failing = True
            raise SpoolFailed(f"the spool can't be written: {type(exc).__name__}") from exc


def _bytes(key: str | bytes) -> bytes:
    return key.encode() if isinstance(key, str) else key
