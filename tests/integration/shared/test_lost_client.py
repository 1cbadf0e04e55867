"""A client that never finds its broker again is replaced by one that does."""

from __future__ import annotations

import pytest

from shared import kafka_watch
from shared.errors import LogUnavailable
from shared.kafka import LogWriter, Outgoing, ensure_topics, open_log_writer
from shared.settings import Settings
from shared.topics import EVENTS, TOPICS
from tests.stack import eventually


async def _is_published(writer: LogWriter) -> bool:
    try:
        await writer.publish([Outgoing(EVENTS.name, "k", b"x", "lost")])
    except LogUnavailable:
        return False
    return True


async def test_client_that_fails_for_long_is_replaced(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka = settings.kafka.model_copy(update={"request_timeout_ms": 500})
    await ensure_topics(kafka, TOPICS)
    monkeypatch.setattr(kafka_watch, "GIVE_UP_SECONDS", 1.0)
    async with open_log_writer(kafka, "test") as writer:
        assert await _is_published(writer)
        lost = await writer.producer()
        await lost._sender.close()  # nothing it is given leaves it any more
        assert not await _is_published(writer)
        await eventually(lambda: _is_published(writer), 20)
        assert await writer.producer() is not lost
