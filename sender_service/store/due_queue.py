"""Queue of documents that are due: workers lease one, and the due time is its lease's end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from sender_service.models.send import EVER, NEVER
from shared.mongo.client import Collection, Document, translate_mongo_errors
from shared.mongo.whole_reads import read_all

Item = TypeVar("Item")
Changes = TypeVar("Changes")

DUE_QUEUE_LIMIT = 100  # documents that are due, or soon: so many are read for the first


@dataclass(frozen=True)
class QueueFields:
    """Stored names of a queue's fields. `unfinished`: the query of what is still to be worked on."""

    due: str
    worker: str
    attempts: str
    unfinished: Document


class DueQueue(Generic[Item, Changes]):
    """Leases of one collection's documents. Every method raises StoreUnavailable."""

    def __init__(
        self,
        collection: Collection,
        fields: QueueFields,
        decode: Callable[[Document], Item],
        encode: Callable[[Changes], Document],
    ) -> None:
        self._collection = collection
        self._fields = fields
        self._decode = decode
        self._encode = encode

    async def next_due(self, among: Document, until: datetime) -> datetime | None:
        """Return when the first one is due; None if none is until then."""
        name = self._fields.due
        with translate_mongo_errors():
            found = await read_all(
                self._collection, self._due(among, until), {name: 1}, limit=DUE_QUEUE_LIMIT
            )
        return min((one[name] for one in found), default=None)

    async def lease(
        self, among: Document, worker: str, now: datetime, seconds: float
    ) -> Item | None:
        """Lease one that is due, or whose lease expired, and count the attempt."""
        fields = self._fields
        with translate_mongo_errors():
            leased = await self._collection.find_one_and_update(
                self._due(among, now),
                {
                    "$set": {fields.worker: worker, fields.due: now + timedelta(seconds=seconds)},
                    "$inc": {fields.attempts: 1},
                },
                return_document=True,
            )
        return None if leased is None else self._decode(leased)

    async def renew(self, key: str, worker: str, until: datetime, changes: Changes) -> bool:
        """Extend the lease and write the changes; return False if this worker lost it."""
        return await self._set(key, worker, {**self._encode(changes), self._fields.due: until})

    async def complete(self, key: str, worker: str, changes: Changes) -> bool:
        """Write the result, after which it is never due; return False if the lease was lost."""
        return await self._release(key, worker, NEVER, changes)

    async def postpone(self, key: str, worker: str, due: datetime, changes: Changes) -> bool:
        """End the lease, to be leased again when due; return False if it was lost."""
        return await self._release(key, worker, due, changes)

    async def uncount(self, key: str) -> None:
        """Uncount an attempt that failed through no fault of the document."""
        attempts = self._fields.attempts
        query = {"_id": key, **self._fields.unfinished, attempts: {"$gte": 1}}
        with translate_mongo_errors():
            await self._collection.update_one(query, {"$inc": {attempts: -1}})

    def _due(self, among: Document, until: datetime) -> Document:
        return {**among, self._fields.due: {"$gte": EVER, "$lte": until}}

    async def _release(self, key: str, worker: str, due: datetime, changes: Changes) -> bool:
        fields = self._fields
        ended: Document = {fields.due: due, fields.worker: None}
        return await self._set(key, worker, {**self._encode(changes), **ended})

    async def _set(self, key: str, worker: str, changes: Document) -> bool:
        query = {"_id": key, self._fields.worker: worker, **self._fields.unfinished}
        with translate_mongo_errors():
            result = await self._collection.update_one(query, {"$set": changes})
        return result.matched_count == 1
