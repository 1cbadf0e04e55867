"""Tests of what ingest keeps on disk, the spool and what is beside it, on a disk that is full for a
while.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_service.api.app_cache import AppDiskCache
from ingest_service.durable.spool import Spool, SpoolFailed
from ingest_service.snapshot.files import Header, Writer
from shared.apps import AppRegistry
from shared.clock import monotonic, utc_now
from shared.health import Health
from shared.mongo.client import open_database
from shared.settings import MongoSettings
from tests.support.disk import fill, small_disk
from tests.support.ingest_api import VAULT, app
from tests.support.stack import eventually
from tests.unit.ingest.fickle_kafka import (
    FickleKafka,
    create_log,
    numbered_record,
    wait_until_drained,
)


@pytest.fixture
def kafka() -> FickleKafka:
    return FickleKafka()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", mebibytes=1) as folder:
        yield folder


async def test_b4_known_apps_are_written_once_there_is_room(
    disk: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("ingest_service.api.app_cache.WATCH_SECONDS", 0.02)
    filler, stop, path = fill(disk), asyncio.Event(), disk / "apps.json"
    async with open_database(MongoSettings(), "test") as database:  # never asked anything
        apps = AppRegistry(database, VAULT)
        apps.take([app("shop")])
        component = Health(utc_now, monotonic).component("apps", deadline_seconds=9)
        watching = asyncio.create_task(AppDiskCache(path, apps, component).watch(stop))
        await eventually(lambda: "known apps not written" in caplog.text)
        filler.unlink()
        await eventually(lambda: path.exists() and b"shop" in path.read_bytes())
        stop.set()
        await watching
    assert caplog.text.count("known apps not written") == 1


@pytest.mark.parametrize("taken", [1.0, 0.5], ids=["at the first line", "in the middle"])
def test_b4_a_snapshot_that_does_not_fit_leaves_nothing(disk: Path, taken: float) -> None:
    filler = fill(disk)
    with filler.open("r+b") as room:
        room.truncate(int(filler.stat().st_size * taken))
    header = Header("log", {("t", n): n for n in range(40_000)}, 0, utc_now(), final=False)
    documents = ({"_id": n, "pad": str(hash((n, "x"))) * 500} for n in range(20_000))
    with pytest.raises(OSError, match="No space left"):
        writer = Writer(disk, header)
        try:
            for document in documents:
                writer.add("profiles", document)
        except OSError:
            writer.discard()
            raise
    assert [path.name for path in disk.iterdir()] == [filler.name]


async def test_b4_what_a_full_disk_can_not_delete_is_published_once(
    kafka: FickleKafka, tmp_path: Path
) -> None:
    """Three batches of the drainer, none of which the disk lets go."""
    numbers = range(2_500)
    kafka.state = "away"
    with small_disk(tmp_path / "disk", mebibytes=3) as disk:
        durable = create_log(kafka, disk)
        async with durable.open():
            await durable.publish([numbered_record(n) for n in numbers])
            fill(disk)
            with pytest.raises(SpoolFailed):
                await durable.publish([numbered_record(9_000, 100_000)])
            with pytest.raises(SpoolFailed):
                await durable.check_space()
            kafka.state = "up"
            await wait_until_drained(durable)
            await durable.publish([numbered_record(2_500)])
            await durable.check_space()
        assert kafka.values == [*numbers, 2_500]
        assert Spool(disk / "spool.sqlite").count == 0


async def test_b4_a_full_disk_makes_ready_only_while_kafka_takes_events(
    kafka: FickleKafka, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk", mebibytes=1) as disk:
        filler = fill(disk)
        durable = create_log(kafka, disk)  # a start on a full disk, too
        async with durable.open():
            await durable.publish([numbered_record(0)])
            await durable.check_space()
            kafka.state = "away"
            with pytest.raises(SpoolFailed):
                await durable.publish([numbered_record(1)])
            with pytest.raises(SpoolFailed):
                await durable.check_space()
            filler.unlink()
            await durable.check_space()
            await durable.publish([numbered_record(2)])
            kafka.state = "up"
            await wait_until_drained(durable)
        assert kafka.values == [0, 2]
