"""Snapshots as files: damaged ones stop nobody, those of the erased and of the dead are removed."""

from __future__ import annotations

import asyncio
import gzip
import signal
import stat
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime

import pytest

from ingest_service.projector.person_ids import PersonIds
from ingest_service.projector.projector import Projector
from ingest_service.projector.store import MongoProjections
from ingest_service.projector.visitor import Visitor
from ingest_service.snapshot.files import (
    VERSION,
    Header,
    Writer,
    read_documents,
    read_header,
    readable_snapshots,
)
from ingest_service.snapshot.take import drop_stale, folder_of, take_snapshot
from shared.errors import Rejected, Unavailable
from shared.mongo.client import Database, ensure_indexes, open_database
from shared.mongo.collections import INGEST
from shared.settings import Settings
from tests.integration.ingest.commands import run_command
from tests.integration.ingest.shop_day import contents, publish_shop_day, until_projected
from tests.support import stack
from tests.support.ingest_process import client_of, seeded, until
from tests.support.ops_events import erasure
from tests.support.projector_doubles import APP, START, event, item

PEOPLE = PersonIds(b"key")


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    async with open_database(settings.mongo, "test") as opened:
        await ensure_indexes(opened, INGEST)
        yield opened


async def project_eva(database: Database) -> Projector:
    projector = Projector(MongoProjections(database), PEOPLE, lambda: START)
    await projector.handle([item(event("identify", "a", 1, login="eva"))])
    return projector


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda whole: b"",
    "cut off": lambda whole: whole[:9],
    "no gzip": lambda whole: b"\x00" * 64,
    "garbled": lambda whole: whole[:12] + b"\xff" * 40 + whole[52:],
}


@pytest.mark.parametrize("how", sorted(DAMAGE))
async def test_damaged_snapshot_is_removed_and_the_others_stay(
    settings: Settings, database: Database, how: str
) -> None:
    await project_eva(database)
    good = await take_snapshot(settings, database)
    bad = good.with_name(good.name.replace("20", "21", 1))
    bad.write_bytes(DAMAGE[how](good.read_bytes()))
    with pytest.raises(Rejected, match="damaged"):
        read_header(bad)
    assert [path for path, _ in readable_snapshots(folder_of(settings))] == [good]
    assert await drop_stale(settings, database) == 1
    assert good.exists() and not bad.exists()


async def test_snapshot_of_another_version_is_refused_and_removed(
    settings: Settings, database: Database
) -> None:
    await project_eva(database)
    good = await take_snapshot(settings, database)
    earlier = good.with_name(good.name.replace("20", "21", 1))
    whole = gzip.decompress(good.read_bytes())
    assert b'"v":%d' % VERSION in whole
    earlier.write_bytes(gzip.compress(whole.replace(b'"v":%d' % VERSION, b'"v":1', 1)))
    expected = f"version is 1, and this program reads {VERSION}"
    with pytest.raises(Rejected, match=expected) as refused:
        read_header(earlier)
    assert refused.value.code == "snapshot_version"
    assert [path for path, _ in readable_snapshots(folder_of(settings))] == [good]
    assert await drop_stale(settings, database) == 1
    assert good.exists() and not earlier.exists()


async def test_snapshot_damaged_further_on_states_so(
    settings: Settings, database: Database
) -> None:
    await project_eva(database)
    path = await take_snapshot(settings, database)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(Rejected, match="damaged"):
        list(read_documents(path))


async def test_projector_and_replay_live_with_a_damaged_snapshot(alone: Settings) -> None:
    folder = folder_of(alone)
    folder.mkdir(parents=True)
    (folder / "20990101T000000000000-1.snapshot.gz").write_bytes(b"")
    async with seeded(alone) as database:
        with stack.service("ingest_service", alone) as server:
            async with client_of(server) as client:
                await until(client, 200, "ready")
                await stack.eventually(lambda: len(readable_snapshots(folder)) == 1, 20)
                await publish_shop_day(client, 0)
                await until_projected(database, 2)
                before = await contents(database)
                (folder / "20990101T000000000000-1.snapshot.gz").write_bytes(b"\x1f\x8b")
                code, output = await run_command(alone, "replay")
                assert code == 0, output
                assert await contents(database) == before


async def test_snapshot_that_is_never_whole_is_a_sentence(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = iter(range(100))

    async def another(_: Database) -> int:
        return next(counts)

    monkeypatch.setattr("ingest_service.snapshot.take.count_erasures", another)
    with pytest.raises(Unavailable, match="erased each time"):
        await take_snapshot(settings, database)
    assert list(folder_of(settings).iterdir()) == []


class Waiting(MongoProjections):
    """Store that pauses an erasure between its count and its writes, for a snapshot."""

    def __init__(self, database: Database, settings: Settings) -> None:
        super().__init__(database)
        self._taken = (settings, database)

    async def save_visitors(self, visitors: Sequence[Visitor]) -> None:
        path = await take_snapshot(*self._taken)
        assert "eva" in str(list(read_documents(path)))
        await super().save_visitors(visitors)


async def test_snapshot_that_overlaps_an_erasure_is_dropped(
    settings: Settings, database: Database
) -> None:
    await project_eva(database)
    late = Projector(Waiting(database, settings), PEOPLE, lambda: START)
    await late.handle([item(erasure("a", 2, PEOPLE.of_login(APP, "eva")))])
    assert await drop_stale(settings, database) == 1
    assert readable_snapshots(folder_of(settings)) == []
    path = await take_snapshot(settings, database)
    assert "eva" not in str(list(read_documents(path)))


KILLED = """
import os, signal, sys
from pathlib import Path
from shared.clock import utc_now
from ingest_service.snapshot.files import Header, Writer
Writer(Path(sys.argv[1]), Header("log", {}, 0, utc_now(), False))
os.kill(os.getpid(), signal.SIGKILL)
"""


async def test_what_a_killed_snapshot_left_is_removed(
    settings: Settings, database: Database
) -> None:
    folder = folder_of(settings)
    dead = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, str(folder))
    assert await dead.wait() == -signal.SIGKILL
    (left,) = folder.iterdir()
    living = Writer(folder, Header("log", {}, 0, datetime.now(UTC), False))
    assert await drop_stale(settings, database) == 1
    assert not left.exists()
    assert stat.S_IMODE(living.finish().stat().st_mode) == 0o600
    assert await drop_stale(settings, database) == 0


async def test_replay_takes_the_snapshot_before_a_damaged_one(alone: Settings) -> None:
    async with seeded(alone) as database:
        with stack.service("ingest_service", alone) as server:
            async with client_of(server) as client:
                await until(client, 200, "ready")
                await publish_shop_day(client, 0)
                await until_projected(database, 2)
                assert (await run_command(alone, "snapshot"))[0] == 0
                before = await contents(database)
                (newest, _), (older, _), *_ = readable_snapshots(folder_of(alone))
                newest.write_bytes(newest.read_bytes()[:-20])
                code, output = await run_command(alone, "replay")
                assert code == 0 and f"{newest.name} is damaged" in output, output
                assert f"documents from {older.name}" in output
                assert await contents(database) == before
                older.write_bytes(older.read_bytes()[:-20])
                code, output = await run_command(alone, "replay")  # the log has everything
                assert code == 0 and "documents from" not in output, output
                assert await contents(database) == before
