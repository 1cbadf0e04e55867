"""The `parked` collection: stream events that arrived before their delivery."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from pymongo import ReplaceOne

from shared.models.event import Event
from shared.mongo.client import Database, in_batches, retry_on_conflict, translate_mongo_errors
from shared.mongo.collections import PARKED
from shared.mongo.whole_reads import read_all

PARKED_RETENTION = timedelta(days=7)  # as long as a send may live


class ParkedStore:
    """Stores parked events. Every method raises StoreUnavailable when MongoDB is away."""

    def __init__(self, database: Database) -> None:
        self._parked = database[PARKED.name]

    async def put(self, events: Sequence[Event]) -> None:
        """Store events under their own ids; repeating it changes nothing."""
        writes = [
            ReplaceOne(
                {"_id": event.id},
                {
                    "_id": event.id,
                    "message": str(event.data.get("notificationId")),
                    "event": event.document(),
                    "expireAt": event.received_at + PARKED_RETENTION,
                },
                upsert=True,
            )
            for event in events
        ]
        if writes:
            with translate_mongo_errors():
                await retry_on_conflict(lambda: self._parked.bulk_write(writes, ordered=False))

    async def of(self, messages: Sequence[str]) -> list[Event]:
        """Return the events of these messages."""
        found: list[Event] = []
        with translate_mongo_errors():
            for batch in in_batches("message", messages):
                for document in await read_all(self._parked, batch):
                    found.append(Event.model_validate(document["event"]))
        return found

    async def remove(self, events: Sequence[str]) -> None:
        with translate_mongo_errors():
            for batch in in_batches("_id", events):
                await self._parked.delete_many(batch)
