"""Tests of what the launcher writes: bounded, and no reason to end where the disk is full."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.log_files import bound_log, former
from deploy.local.process import Child
from shared.kafka.client import ensure_topics, open_log_writer
from shared.kafka.records import OutgoingRecord
from shared.kafka.topics import TOPICS, TRIGGERS_TOPIC
from tests.integration.launcher.running import running, until
from tests.integration.launcher.standin import real_broker
from tests.support.disk import fill, small_disk
from tests.support.stack import free_port

STANDIN = "tests.integration.launcher.standin"
MIB = 1024 * 1024


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", mebibytes=1) as folder:
        yield folder


def test_logs_are_bounded_while_they_are_written(tmp_path: Path) -> None:
    env = {"CARILLON_LOCAL__LOG_MB": "1"}
    part = f"sender=chatters:{free_port()}"
    with running(STANDIN, str(tmp_path), part, env=env) as launcher:
        launcher.until_printed("all is up")
        log = tmp_path / "logs" / "sender.log"
        until(lambda: former(log).exists(), "the log was bounded")
        until(lambda: "still there" in log.read_text(), "the child goes on writing", 10)
        assert log.stat().st_size <= MIB
        assert launcher.end() == 0
    assert sum(path.stat().st_size for path in log.parent.iterdir()) < 5 * MIB


def test_a_log_on_a_full_disk_gives_its_room_back(disk: Path) -> None:
    log = disk / "ingest.log"
    log.write_bytes(b"x" * (MIB // 2))
    filler = fill(disk)
    assert bound_log(log, most=1_000)
    assert log.stat().st_size == 0 and filler.exists()


@pytest.mark.any_broker  # a real one has its own log files
async def test_b4_the_broker_outlives_a_full_disk_under_its_log(disk: Path) -> None:
    # Its log is all that there is of the events: Tansu ends where a line of it can't be written.
    spec, kafka = real_broker(free_port())
    (disk / "logs").mkdir()
    fill(disk)
    child = Child(spec, disk / "logs")
    try:
        await child.start(timeout=30)
        await ensure_topics(kafka, TOPICS)
        async with open_log_writer(kafka, "test") as writer:
            await writer.publish([OutgoingRecord(TRIGGERS_TOPIC.name, "key", b"{}", "trigger")])
        assert child.running
    finally:
        await child.stop(5, asyncio.Event())
