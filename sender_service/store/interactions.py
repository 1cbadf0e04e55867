"""The `interactions` collection: one document a page, distinct (player, kind) with its first time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import cast

from pymongo.errors import DuplicateKeyError

from sender_service.models.page import Page
from shared.collections import INTERACTIONS
from shared.mongo import Database, Document, translate_mongo_errors

Seen = Mapping[tuple[int, str], datetime]  # (member's index, impression | click | close) → when
KINDS = ("impression", "click", "close")


class InteractionStore:
    """Every method raises StoreUnavailable when MongoDB is away."""

    def __init__(self, database: Database) -> None:
        self._interactions = database[INTERACTIONS.name]

    async def add(self, page: Page, seen: Seen) -> int:
        """Record what was seen; returns how many of them are new. Repeats change nothing."""
        with translate_mongo_errors():
            while True:
                found = await self._interactions.find_one({"_id": page["_id"]})
                before = found or _blank(page)
                new = {
                    f"seen.{kind}.{index}": at
                    for (index, kind), at in seen.items()
                    if str(index) not in before["seen"][kind]
                }
                if not new or await self._write(found, before, new):
                    return len(new)

    async def _write(self, found: Document | None, before: Document, new: Document) -> bool:
        for path, at in new.items():
            _, kind, index = path.split(".")
            before["seen"][kind][index] = at
        counts = {kind: len(before["seen"][kind]) for kind in KINDS}
        if found is None:
            try:
                await self._interactions.insert_one({**before, "counts": counts})
            except DuplicateKeyError:
                return False
            return True
        result = await self._interactions.update_one(
            {"_id": before["_id"], "rev": before["rev"]},
            {"$set": {**new, "counts": counts}, "$inc": {"rev": 1}},
        )
        return result.matched_count == 1

    async def counts(self, send: str) -> dict[str, int]:
        """{"impression": n, "click": n, "close": n} of a send."""
        total = dict.fromkeys(KINDS, 0)
        with translate_mongo_errors():
            async for page in self._interactions.find({"send": send}, {"counts": 1}):
                for kind in KINDS:
                    total[kind] += page["counts"][kind]
        return total


def _blank(page: Page) -> Document:
    return cast(
        Document,
        {
            "_id": page["_id"],
            "send": page["send"],
            "app": page["app"],
            "seen": {kind: {} for kind in KINDS},
            "rev": 0,
            "expireAt": page["expireAt"],
        },
    )
