"""The `dead_letters` collection: what was set aside, to be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from pymongo import ReplaceOne

from sender_service.models.send import EVER, NEVER
from shared.collections import DEAD_LETTERS
from shared.models.dead_letter import DeadLetter
from shared.mongo import Database, settle_race, translate_mongo_errors

KEPT = timedelta(days=30)


class LetterStore:
    """Every method raises StoreUnavailable when MongoDB is away."""

    def __init__(self, database: Database) -> None:
        self._letters = database[DEAD_LETTERS.name]

    async def put(self, letters: Sequence[DeadLetter]) -> None:
        """Once each: the id names the record's place."""
        writes = [
            ReplaceOne(
                {"_id": letter.id},
                {**letter.document(), "_id": letter.id, "expireAt": letter.at + KEPT},
                upsert=True,
            )
            for letter in letters
        ]
        with translate_mongo_errors():
            await settle_race(lambda: self._letters.bulk_write(writes, ordered=False))

    async def newest(self, limit: int) -> list[dict[str, Any]]:
        """Without their content, which may be personal."""
        shown = {"value": 0, "key": 0, "expireAt": 0}
        with translate_mongo_errors():
            found = [
                d async for d in self._letters.find({"at": {"$gte": EVER, "$lt": NEVER}}, shown)
            ]
        return sorted(found, key=lambda d: (d["at"], d["_id"]), reverse=True)[:limit]
