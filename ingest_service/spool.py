"""Events that Kafka can't take now, on disk in the order of their arrival: one SQLite file.

Every call blocks (an append until the disk has it), so all are made on one thread of their own.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from shared.errors import LogUnavailable, Rejected
from shared.kafka import Outgoing

ROW_BYTES = 64  # what a row takes beside its key and its value, about
BUSY_SECONDS = 5.0  # a process that is just ending still holds the file

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    topic TEXT NOT NULL, key BLOB NOT NULL, type TEXT NOT NULL, value BLOB NOT NULL
)
"""
_APPEND = "INSERT INTO records (topic, key, type, value) VALUES (?, ?, ?, ?)"
_TOTALS = f"SELECT count(*), total(length(key) + length(value) + {ROW_BYTES}) FROM records"
_FIRST = "SELECT number, topic, key, type, value FROM records ORDER BY number LIMIT ?"


class SpoolFull(LogUnavailable):
    """Kafka is away and the spool is at its limit."""

    code = "spool_full"


class SpoolFailed(LogUnavailable):
    """The disk is full or broken."""

    code = "spool_failed"


def size_of(records: Sequence[Outgoing]) -> int:
    """What they take of the limit."""
    return sum(len(r.key) + len(r.value) + ROW_BYTES for r in records)


class Spool:
    """A queue that survives a crash. `count` and `size` are of what is in it."""

    def __init__(self, path: Path) -> None:
        """Raises Rejected where the file is another process's, or no spool."""
        self.count = 0
        self.size = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)  # its events are personal data
            self._file = sqlite3.connect(
                path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._prepare()
        except (OSError, sqlite3.Error) as exc:
            raise Rejected(
                f"the spool {path} can't be used ({exc}); one process each: set CARILLON_DATA_DIR",
                code="spool_unusable",
            ) from exc

    def _prepare(self) -> None:
        for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=FULL"):
            self._file.execute(f"PRAGMA {pragma}")
        self._file.execute(_SCHEMA)
        self.count, size = self._file.execute(_TOTALS).fetchone()
        self.size = int(size)

    def append(self, records: Sequence[Outgoing]) -> None:
        """Returns when the disk has all of them. Raises SpoolFailed, and has none."""
        with self._transaction():
            rows = ((r.topic, _bytes(r.key), r.type, r.value) for r in records)
            self._file.executemany(_APPEND, rows)
        self.count += len(records)
        self.size += size_of(records)

    def first(self, count: int) -> tuple[int, list[Outgoing]]:
        """The oldest ones, and the number of the last of them, for `remove`."""
        with _translated():
            rows = self._file.execute(_FIRST, (count,)).fetchall()
        return rows[-1][0] if rows else 0, [Outgoing(t, k, v, type_) for _, t, k, type_, v in rows]

    def remove(self, last: int, records: Sequence[Outgoing]) -> None:
        """What `first` gave. An empty spool gives its disk space back, and keeps no trace."""
        with self._transaction():
            self._file.execute("DELETE FROM records WHERE number <= ?", (last,))
        self.count -= len(records)
        self.size -= size_of(records)
        if self.count == 0:
            with _translated():
                self._file.execute("VACUUM")
                self._file.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        self._file.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with _translated():
            self._file.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._file.execute("COMMIT")
            except BaseException:
                if self._file.in_transaction:  # SQLite itself rolls back on a full disk
                    self._file.execute("ROLLBACK")
                raise


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as exc:
        raise SpoolFailed(f"the spool can't be written: {type(exc).__name__}") from exc


def _bytes(key: str | bytes) -> bytes:
    return key.encode() if isinstance(key, str) else key
