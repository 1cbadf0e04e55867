"""Which sends were tests: reports leave them out."""

from __future__ import annotations

from shared.collections import SENDS
from shared.mongo import Database, translate_mongo_errors


class TrialStore:
    def __init__(self, database: Database) -> None:
        self._sends = database[SENDS.name]

    async def mark(self, send: str) -> None:
        """Raises StoreUnavailable."""
        with translate_mongo_errors():
            await self._sends.update_one({"_id": send}, {"$set": {"test": True}})
