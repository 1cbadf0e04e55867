"""The `parts` collection: long lists of recipients until they are planned."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from pymongo import ReplaceOne

from shared.errors import Rejected
from shared.mongo.client import Database, Document, translate_mongo_errors
from shared.mongo.collections import PARTS


class PartLost(Rejected):
    """A part that its send lists but that doesn't exist: planned elsewhere, or expired."""

    code = "part_lost"


class PartStore:
    """Stores parts. Every method raises StoreUnavailable when MongoDB is away."""

    def __init__(self, database: Database) -> None:
        self._parts = database[PARTS.name]

    async def put(
        self, part: str, send: str, recipients: Sequence[Document], expires: datetime
    ) -> None:
        """Store a part; its id names the content, so repeating it changes nothing."""
        document: Document = {
            "_id": part,
            "send": send,
            "recipients": list(recipients),
            "expireAt": expires,
        }
        with translate_mongo_errors():
            await self._parts.bulk_write([ReplaceOne({"_id": part}, document, upsert=True)])

    async def recipients(self, part: str) -> list[Document]:
        """Return the part's recipients. Raises PartLost."""
        with translate_mongo_errors():
            found = await self._parts.find_one({"_id": part})
        if found is None:
            raise PartLost("a part of the list is not there any more")
        return cast(list[Document], found["recipients"])

    async def forget(self, send: str) -> None:
        """Delete all parts of a send."""
        with translate_mongo_errors():
            await self._parts.delete_many({"send": send})

    async def drop(self, parts: Sequence[str]) -> None:
        """Delete these parts, one by one."""
        with translate_mongo_errors():
            for part in parts:
                await self._parts.delete_one({"_id": part})
