"""The sandbox's file on a full disk: it refuses, and goes on when there is room."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from deploy.local.sandbox.store import Store, open_database
from tests.support.disk import fill, small_disk

INSERT = "INSERT INTO users VALUES (?, ?, ?)"


async def test_b4_a_full_disk_is_no_end(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", mebibytes=2) as disk:
        store = Store(open_database(disk / "sandbox.sqlite3"))
        filler = fill(disk)
        for size in (2_000, 500_000):
            with pytest.raises(sqlite3.Error):
                await store.write([(INSERT, ("app", f"refused-{size}", b"x" * size))])
        filler.unlink()
        await store.write([(INSERT, ("app", "kept", b"x"))])
        await store.close()
        database = sqlite3.connect(disk / "sandbox.sqlite3")
        assert database.execute("SELECT id FROM users").fetchall() == [("kept",)]
        database.close()
