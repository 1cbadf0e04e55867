"""A stage with its hands full keeps what was fetched ahead: a backlog is read once, not once a batch."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

import pytest

from shared.kafka import reader as kafka_reader
from shared.kafka.client import ensure_topics, open_log_writer
from shared.kafka.reader import LogReader
from shared.kafka.records import OutgoingRecord
from shared.kafka.topics import DAY_MS, Topic
from shared.settings import Settings
from tests.support.stack import eventually

RECORDS = 20


async def _nothing() -> None:
    return None


@pytest.fixture
async def reader(settings: Settings) -> AsyncIterator[LogReader]:
    topic = Topic(f"test.kept.{uuid.uuid4().hex}", 1, DAY_MS, ("group",))
    await ensure_topics(settings.kafka, [topic])
    async with open_log_writer(settings.kafka, "test") as writer:
        await writer.publish(
            [OutgoingRecord(topic.name, "k", b"%d" % n, "kept") for n in range(RECORDS)]
        )
        opened = LogReader(settings.kafka, f"kept-{id(writer)}", [topic.name], _nothing)
        await opened.start()
        yield opened
        await opened.stop()


async def _one(reader: LogReader) -> bytes | None:
    records = await reader.poll(100, 1)
    return records[0].value if records else None


@pytest.mark.parametrize("seconds", [3_600.0, 0.0])
async def test_nothing_is_lost_between_polls(
    reader: LogReader, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 0: a poll of what is paused each time
    monkeypatch.setattr(kafka_reader, "KEEP_SECONDS", seconds)
    read: list[bytes] = []

    async def all_read() -> bool:
        if (value := await _one(reader)) is not None:
            read.append(value)
        await reader.keep_alive()
        return len(read) >= RECORDS

    await eventually(all_read, 60, every=0)
    assert read == [b"%d" % n for n in range(RECORDS)]
