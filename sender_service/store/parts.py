"""The `parts` collection: long lists of recipients until they are planned."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from pymongo import ReplaceOne

from sender_service.models.malformed import Stored
from sender_service.models.send import Send
from sender_service.store.send_codec import decode_send
from shared.errors import Rejected
from shared.mongo.client import Database, Document, translate_mongo_errors
from shared.mongo.collections import PARTS, SENDS


class PartLost(Rejected):
    """A part that its send lists but that doesn't exist: planned elsewhere, or expired."""

    code = "part_lost"


class PartStore:
    """Stores parts. Every method raises StoreUnavailable when MongoDB is away."""

    def __init__(self, database: Database) -> None:
        self._parts = database[PARTS.name]
        self._sends = database[SENDS.name]

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

    async def note(
        self, send: str, number: int, part: str, count: int, malformed: Stored
    ) -> Send | None:
        """Record in the send that a part arrived; return the send. Repeating it changes nothing."""
        received = f"parts.received.{number}"
        left_out = {f"malformed.{number}": malformed} if malformed["count"] else {}
        with translate_mongo_errors():
            await self._sends.update_one(
                {"_id": send, "state": "planning", received: {"$exists": False}},
                {"$set": {received: part, **left_out}, "$inc": {"parts.recipients": count}},
            )
            found = await self._sends.find_one({"_id": send})
        return None if found is None else decode_send(found)

    async def complete(self, send: Send) -> None:
        """Mark the list as complete, so that it is planned when due."""
        changes: dict[str, Any] = {"parts.complete": True, "planDue": send.due_at}
        with translate_mongo_errors():
            await self._sends.update_one(
                {"_id": send.id, "state": "planning", "parts.complete": False},
                {"$set": changes},
            )
