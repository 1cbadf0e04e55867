"""A batch may wait for more: its round trips cost the same for few records as for many."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.kafka.client import LogWriter, ensure_topics, open_log_writer
from shared.kafka.reader import LogReader
from shared.kafka.records import OutgoingRecord, Record
from shared.kafka.topics import EVENTS_TOPIC
from shared.settings import KafkaSettings
from tests.support import stack

GATHER_SECONDS = 1.0
TIMEOUT_MS = 20_000  # the broker shares out partitions first


class Watched(LogReader):
    """Says when it has something."""

    fetched: asyncio.Event

    async def _fetch(self, timeout_ms: int, max_records: int) -> list[Record]:
        records = await super()._fetch(timeout_ms, max_records)
        if records:
            self.fetched.set()
        return records


async def _nothing() -> None:
    return None


@pytest.fixture
async def kafka(fresh_broker: stack.Server) -> KafkaSettings:
    settings = KafkaSettings(bootstrap_servers=fresh_broker.address)
    await ensure_topics(settings, [EVENTS_TOPIC])
    return settings


@pytest.fixture
async def reader(kafka: KafkaSettings) -> AsyncIterator[Watched]:
    opened = Watched(kafka, "gathering", [EVENTS_TOPIC.name], _nothing)
    opened.fetched = asyncio.Event()
    await opened.start()
    yield opened
    await opened.stop()


@pytest.fixture
async def writer(kafka: KafkaSettings) -> AsyncIterator[LogWriter]:
    async with open_log_writer(kafka, "test") as opened:
        yield opened


async def _write(writer: LogWriter, name: str) -> None:
    await writer.publish([OutgoingRecord(EVENTS_TOPIC.name, "k", name.encode(), "test")])


def _poll(reader: Watched, most: int) -> asyncio.Task[list[Record]]:
    return asyncio.create_task(reader.poll(TIMEOUT_MS, most, GATHER_SECONDS))


async def test_what_comes_soon_after_is_with_it(reader: Watched, writer: LogWriter) -> None:
    polling = _poll(reader, 10)
    await _write(writer, "first")
    await reader.fetched.wait()
    await _write(writer, "second")
    assert [record.value for record in await polling] == [b"first", b"second"]


async def test_full_batch_waits_for_nothing(reader: Watched, writer: LogWriter) -> None:
    polling = _poll(reader, 1)
    await _write(writer, "first")
    await reader.fetched.wait()
    async with asyncio.timeout(GATHER_SECONDS / 2):
        assert len(await polling) == 1


async def test_what_was_shared_out_anew_is_left_to_its_new_owner(
    reader: Watched, writer: LogWriter
) -> None:
    polling = _poll(reader, 10)
    await _write(writer, "first")
    await reader.fetched.wait()
    await reader._revoked()  # as the client tells it, whoever gets the partition then
    await _write(writer, "second")
    assert [record.value for record in await polling] == [b"second"]
