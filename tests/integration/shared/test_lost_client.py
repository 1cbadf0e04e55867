"""A client that never finds its broker again is replaced by one that does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.errors import LogUnavailable
from shared.kafka import failure_watch
from shared.kafka.client import LogWriter, ensure_topics, open_log_writer
from shared.kafka.records import OutgoingRecord
from shared.kafka.topics import EVENTS_TOPIC, TOPICS
from shared.settings import Settings
from tests.support.stack import eventually


async def _is_published(writer: LogWriter) -> bool:
    try:
        await writer.publish([OutgoingRecord(EVENTS_TOPIC.name, "k", b"x", "lost")])
    except LogUnavailable:
        return False
    return True


async def _answers(writer: LogWriter) -> bool:
    try:
        await writer.ping()
    except LogUnavailable:
        return False
    return True


@pytest.fixture
async def writer(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LogWriter]:
    kafka = settings.kafka.model_copy(update={"request_timeout_ms": 500})
    await ensure_topics(kafka, TOPICS)
    monkeypatch.setattr(failure_watch, "GIVE_UP_SECONDS", 1.0)
    async with open_log_writer(kafka, "test") as opened:
        assert await _is_published(opened)
        yield opened


async def test_client_that_sends_nothing_is_replaced(writer: LogWriter) -> None:
    lost = await writer.producer()
    await lost._sender.close()
    assert not await _is_published(writer)
    await eventually(lambda: _is_published(writer), 20)
    assert await writer.producer() is not lost


async def test_client_that_answers_but_sends_nothing_is_replaced(writer: LogWriter) -> None:
    # As for the spool's drainer, which asks each time before it sends.
    lost = await writer.producer()
    await lost._sender.close()

    async def is_drained() -> bool:
        return await _answers(writer) and await _is_published(writer)

    await eventually(is_drained, 20)
    assert await writer.producer() is not lost


async def test_client_that_answers_no_question_is_replaced(writer: LogWriter) -> None:
    # A caller that asks before it sends, as the spool's drainer does, would wait for ever.
    lost = await writer.producer()
    lost.client._sync_task.cancel()
    async with asyncio.timeout(10):
        assert not await _answers(writer)
    await eventually(lambda: _answers(writer), 20)
    assert await writer.producer() is not lost
