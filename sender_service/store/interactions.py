"""The `interactions` collection: one document per page, first time of each (player, kind)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

from pymongo import InsertOne, UpdateOne

from sender_service.models.report import InteractionCounts
from sender_service.pages.page import Page
from shared.events.payloads import INTERACTION_KINDS
from shared.mongo.client import (
    Database,
    Document,
    Write,
    if_unchanged,
    in_batches,
    translate_mongo_errors,
    write_conditionally,
)
from shared.mongo.collections import INTERACTIONS
from shared.mongo.whole_reads import read_all

# (member's index, impression | click | close) → when
FirstTimes = Mapping[tuple[int, str], datetime]


class InteractionStore:
    """Stores interactions. Every method raises StoreUnavailable when MongoDB is away."""

    def __init__(self, database: Database) -> None:
        self._interactions = database[INTERACTIONS.name]

    async def add(self, interactions: Sequence[tuple[Page, FirstTimes]]) -> int:
        """Record interactions of these pages; return how many are new.

        Repeating it changes nothing. Writes are conditional: a lost one is read and tried again,
        until nothing is left to write.
        """
        recorded = 0
        with translate_mongo_errors():
            while True:
                known = await self._read([page.id for page, _ in interactions])
                writes, new = [], 0
                for page, times in interactions:
                    found = known.get(page.id)
                    fresh = _fresh(found, times)
                    if fresh:
                        writes.append(_to_write(found, found or _blank(page), fresh))
                        new += len(fresh)
                if not writes:
                    return recorded
                recorded = max(recorded, new)
                await write_conditionally(self._interactions, writes)

    async def _read(self, pages: Sequence[str]) -> dict[str, Document]:
        found: dict[str, Document] = {}
        for batch in in_batches("_id", pages):
            found |= {d["_id"]: d for d in await read_all(self._interactions, batch)}
        return found

    async def counts(self, send: str) -> InteractionCounts:
        """Return a send's counted interactions."""
        return (await self.counts_of([send]))[send]

    async def counts_of(self, sends: Sequence[str]) -> dict[str, InteractionCounts]:
        """Return send → its counted interactions."""
        total = {send: InteractionCounts() for send in sends}
        with translate_mongo_errors():
            for some in in_batches("send", sends):
                for page in await read_all(self._interactions, some, {"send": 1, "counts": 1}):
                    counts = page["counts"]
                    total[page["send"]].add(
                        InteractionCounts(counts["impression"], counts["click"], counts["close"])
                    )
        return total

    async def of_page(self, page: str) -> dict[str, dict[str, datetime]]:
        """Return kind → member's index → time."""
        with translate_mongo_errors():
            found = await self._interactions.find_one({"_id": page}, {"times": 1})
        return {} if found is None else dict(found["times"])


def _fresh(found: Document | None, times: FirstTimes) -> dict[tuple[int, str], datetime]:
    known = {} if found is None else found["times"]
    return {
        (index, kind): at
        for (index, kind), at in times.items()
        if str(index) not in known.get(kind, {})
    }


def _to_write(
    found: Document | None, before: Document, fresh: Mapping[tuple[int, str], datetime]
) -> Write:
    for (index, kind), at in fresh.items():
        before["times"][kind][str(index)] = at
    counts = {kind: len(before["times"][kind]) for kind in INTERACTION_KINDS}
    if found is None:
        return InsertOne({**before, "counts": counts})
    changes = {f"times.{kind}.{index}": at for (index, kind), at in fresh.items()}
    return UpdateOne(
        if_unchanged(before),
        {"$set": {**changes, "counts": counts}, "$inc": {"rev": 1}},
    )


def _blank(page: Page) -> Document:
    return cast(
        Document,
        {
            "_id": page.id,
            "send": page.send,
            "app": page.app,
            "times": {kind: {} for kind in INTERACTION_KINDS},
            "rev": 0,
            "expireAt": page.expire_at,
        },
    )
