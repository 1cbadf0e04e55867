"""The fixtures themselves: servers that answer, and can be lost."""

from __future__ import annotations

from shared.kafka.client import ensure_topics
from shared.kafka.topics import TOPICS
from shared.mongo.client import open_database, ping
from shared.settings import Settings
from tests.support import stack


async def test_shared_servers_answer(settings: Settings) -> None:
    assert await ensure_topics(settings.kafka, TOPICS)
    async with open_database(settings.mongo, "test") as database:
        await ping(database)


async def test_fresh_broker_starts_again_empty(fresh_broker: stack.Server) -> None:
    fresh_broker.kill()
    fresh_broker.start()
    assert fresh_broker.returncode is None
