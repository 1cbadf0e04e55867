"""Interactions with pushes: `interactions`, and `parked` until their delivery is known.

`interactions` has one document a page: the first time of each (player, kind).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import cast

from pymongo import InsertOne, ReplaceOne, UpdateOne

from sender_service.models.report import InteractionCounts
from sender_service.pages.page import Page
from shared.events.payloads import INTERACTION_KINDS
from shared.models.event import Event
from shared.mongo.client import (
    Database,
    Document,
    Write,
    if_unchanged,
    in_batches,
    retry_on_conflict,
    translate_mongo_errors,
    write_conditionally,
)
from shared.mongo.collections import INTERACTIONS, PARKED
from shared.mongo.whole_reads import read_all

PARKED_RETENTION = timedelta(days=7)  # as long as a send may live
FirstTimes = Mapping[
    tuple[int, str], datetime
]  # (member's index, impression | click | close) → when


class ParkedStore:
    """Stores events that arrived before their delivery.

    Every method raises StoreUnavailable when MongoDB is away.
    """

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
