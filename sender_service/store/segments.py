"""Profiles that a filter selects, read by ranges of slots.

In two steps, each an access path that is good everywhere: the ids of a range, by the index on
(app, slot), then the filter beside at most 100 ids. In one step, SecantusDB reads the whole
collection for every range: it uses an index only for a query over nothing but the index's fields, or
over `_id` and others (seen: 40,000 profiles, 16 slots: 2.1 s in one step, 0.05 s in two).
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.collections import PROFILES
from shared.ids import SLOTS
from shared.mongo import Database, Document, translate_mongo_errors

IN_LIMIT = 100


class SegmentReader:
    """Every method raises StoreUnavailable when MongoDB is away."""

    def __init__(self, database: Database) -> None:
        self._profiles = database[PROFILES.name]

    async def in_slots(
        self, app: str, slots: tuple[int, int], where: Document
    ) -> tuple[int, list[Document]]:
        """(how many people the closed range holds, those selected in order of (slot, id))."""
        query = {"app": app, "slot": {"$gte": slots[0], "$lte": min(slots[1], SLOTS - 1)}}
        with translate_mongo_errors():
            ids = [str(p["_id"]) async for p in self._profiles.find(query, {"_id": 1})]
        found = await self.among(app, ids, where)
        return len(ids), sorted(found, key=lambda p: (p["slot"], p["_id"]))

    async def among(self, app: str, people: Sequence[str], where: Document) -> list[Document]:
        """Those of these people that are selected."""
        found: list[Document] = []
        with translate_mongo_errors():
            for start in range(0, len(people), IN_LIMIT):
                ids = {"_id": {"$in": list(people[start : start + IN_LIMIT])}}
                found += [
                    p async for p in self._profiles.find({**ids, "app": app, "$and": [where]})
                ]
        return found
