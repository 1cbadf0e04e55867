"""Moments as a reader of their topic finds them, each with the profile that is stored when it is read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.kafka.client import ensure_topics
from shared.kafka.scan import open_scanner
from shared.kafka.topics import MOMENTS_TOPIC, TOPICS
from shared.models.person_moment import PersonMoment
from shared.mongo.client import Database
from shared.settings import Settings

Found = tuple[PersonMoment, dict[str, Any] | None]


class MomentLog:
    """Reader of `carillon.moments` from now on; `found` grows with each `read`."""

    def __init__(self, reader: AIOKafkaConsumer, database: Database) -> None:
        self._reader = reader
        self._database = database
        self.found: list[Found] = []

    async def read(self) -> list[Found]:
        fetched = await self._reader.getmany(timeout_ms=200)
        for messages in fetched.values():
            for message in messages:
                moment = PersonMoment.parse(message.value)
                assert message.key.decode() == moment.person
                profile = await self._database["profiles"].find_one({"_id": moment.person})
                self.found.append((moment, profile))
        return self.found

    async def has(self, kind: str, **fields: Any) -> bool:
        """Return whether a fact was published that has these fields."""
        await self.read()
        return any(
            all(getattr(fact, name) == value for name, value in fields.items())
            for moment, _ in self.found
            for fact in moment.facts
            if fact.kind == kind
        )

    def kinds(self) -> list[str]:
        return [fact.kind for moment, _ in self.found for fact in moment.facts]


@asynccontextmanager
async def moment_log(settings: Settings, database: Database) -> AsyncIterator[MomentLog]:
    await ensure_topics(settings.kafka, TOPICS)
    async with open_scanner(settings.kafka, None) as reader:
        places = [TopicPartition(MOMENTS_TOPIC.name, n) for n in range(MOMENTS_TOPIC.partitions)]
        reader.assign(places)
        await reader.seek_to_end(*places)  # other tests may have published to it
        yield MomentLog(reader, database)
