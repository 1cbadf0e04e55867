"""SQLite store with group commit: a writer awaits the commit of its batch."""

import asyncio
import sqlite3
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path
from typing import Any

Statement = tuple[str, tuple[Any, ...]]

SCHEMA = """
CREATE TABLE IF NOT EXISTS apps (id TEXT PRIMARY KEY, doc BLOB);
CREATE TABLE IF NOT EXISTS users (app_id TEXT, id TEXT, doc BLOB, PRIMARY KEY (app_id, id));
CREATE TABLE IF NOT EXISTS browsers (app_id TEXT, id TEXT, doc BLOB, PRIMARY KEY (app_id, id));
CREATE TABLE IF NOT EXISTS notifications (
    seq INTEGER PRIMARY KEY, id TEXT, app_id TEXT, external_id TEXT, message BLOB, players BLOB,
    queued_at REAL, send_at REAL, seed INTEGER, invalid INTEGER, state TEXT, sent_at REAL,
    done INTEGER);
CREATE TABLE IF NOT EXISTS keys (
    app_id TEXT, key TEXT, at REAL, answer BLOB, PRIMARY KEY (app_id, key));
CREATE TABLE IF NOT EXISTS calls (app_id TEXT, endpoint TEXT, at REAL, status TEXT);
CREATE TABLE IF NOT EXISTS acts (
    seq INTEGER, player INTEGER, kind TEXT, times INTEGER, PRIMARY KEY (seq, player, kind));
CREATE TABLE IF NOT EXISTS counters (
    app_id TEXT, name TEXT, n INTEGER, PRIMARY KEY (app_id, name));
"""


def open_database(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    # WAL with NORMAL survives a kill -9; only a power cut may lose the last commits.
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=NORMAL")
    database.executescript(SCHEMA)
    return database


class Store:
    """Store whose callers' statements of a moment become one transaction, in the order given."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._waiting: list[Statement] = []
        self._batch: asyncio.Future[None] | None = None
        self._thread = ThreadPoolExecutor(1, "sandbox-store")
        self._flusher: asyncio.Task[None] | None = None

    def write(self, statements: Iterable[Statement]) -> asyncio.Future[None]:
        self._waiting.extend(statements)
        if self._batch is None:
            self._batch = asyncio.get_running_loop().create_future()
        if self._flusher is None:
            self._flusher = asyncio.create_task(self._flush())
        return self._batch

    async def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(0)  # let the other callers of this moment join the batch
        while self._batch is not None:
            statements, batch = self._waiting, self._batch
            self._waiting, self._batch = [], None
            try:
                await loop.run_in_executor(self._thread, self._commit, statements)
            except sqlite3.Error as error:
                batch.set_exception(error)
                batch.exception()  # its callers may be gone: that is no reason to warn
            else:
                batch.set_result(None)
        self._flusher = None

    def _commit(self, statements: list[Statement]) -> None:
        self._database.execute("BEGIN")
        try:
            for sql, group in groupby(statements, key=lambda statement: statement[0]):
                self._database.executemany(sql, [values for _, values in group])
            self._database.execute("COMMIT")
        except BaseException:
            if self._database.in_transaction:  # SQLite itself rolls back on a full disk
                self._database.execute("ROLLBACK")
            raise

    async def close(self) -> None:
        while self._flusher is not None:
            await asyncio.wait([self._flusher])
        self._thread.shutdown()
        self._database.close()
