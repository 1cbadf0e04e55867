"""Marks of sends that were tests: reports leave them out."""

from __future__ import annotations

from shared.mongo.client import Database, translate_mongo_errors
from shared.mongo.collections import SENDS


class PushTestStore:
    def __init__(self, database: Database) -> None:
        self._sends = database[SENDS.name]

    async def mark(self, send: str) -> None:
        """Mark a send as a test. Raises StoreUnavailable."""
        with translate_mongo_errors():
            await self._sends.update_one({"_id": send}, {"$set": {"test": True}})
