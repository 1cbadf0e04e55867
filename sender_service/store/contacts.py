"""The `contacts` collection: who was pushed when, one document a person with a bounded ring."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from pymongo import InsertOne, UpdateOne

from shared.collections import CONTACTS
from shared.models.cap import Cap
from shared.mongo import (
    Database,
    Document,
    Write,
    as_read,
    one_of,
    translate_mongo_errors,
    write_conditionally,
)
from shared.whole_reads import read_all

RING = 64  # pushes remembered a person: more than a cap can count
KEPT = timedelta(days=91)  # longer than the longest cap


class ContactStore:
    """Every method raises StoreUnavailable when MongoDB is away."""

    def __init__(self, database: Database) -> None:
        self._contacts = database[CONTACTS.name]

    async def reserve(
        self, app: str, people: Collection[str], send: str, caps: Sequence[Cap], now: datetime
    ) -> set[str]:
        """Note a push of this send for each; returns those for whom a cap is reached, who get none.

        Repeated, it changes nothing. Writes are conditional, and what was lost to another send is
        seen by reading again: so it ends when a reading finds nothing left to write.
        """
        while True:
            known = await self._read(app, people)
            refused, writes = _judge(app, people, known, send, caps, now)
            if not writes:
                return refused
            with translate_mongo_errors():
                await write_conditionally(self._contacts, writes)

    async def refused(
        self, app: str, people: Collection[str], send: str, caps: Sequence[Cap], now: datetime
    ) -> set[str]:
        """Those for whom a cap is reached; notes nothing."""
        return _judge(app, people, await self._read(app, people), send, caps, now)[0]

    async def give_back(self, app: str, people: Collection[str], send: str) -> None:
        """Of those to whom nothing was sent."""
        keys = [_key(app, person) for person in people]
        with translate_mongo_errors():
            for wanted in one_of("_id", keys):
                await self._contacts.update_many(
                    {**wanted, "ring.send": send},
                    {"$pull": {"ring": {"send": send}}, "$inc": {"rev": 1}},
                )

    async def _read(self, app: str, people: Collection[str]) -> dict[str, Document]:
        keys = [_key(app, person) for person in people]
        found: dict[str, Document] = {}
        with translate_mongo_errors():
            for wanted in one_of("_id", keys):
                found |= {d["_id"]: d for d in await read_all(self._contacts, wanted)}
        return found


def _key(app: str, person: str) -> str:
    return f"{app}:{person}"


def _judge(
    app: str,
    people: Collection[str],
    known: Mapping[str, Document],
    send: str,
    caps: Sequence[Cap],
    now: datetime,
) -> tuple[set[str], list[Write]]:
    refused: set[str] = set()
    writes: list[Write] = []
    entry = {"send": send, "at": now}
    for person in people:
        document = known.get(_key(app, person))
        ring = document["ring"] if document else []
        if any(e["send"] == send for e in ring):
            continue
        if any(sum(e["at"] > now - cap.window for e in ring) >= cap.count for cap in caps):
            refused.add(person)
        elif document is None:
            fresh = {"_id": _key(app, person), "app": app, "ring": [entry], "rev": 1}
            writes.append(InsertOne({**fresh, "expireAt": now + KEPT}))
        else:
            writes.append(
                UpdateOne(
                    as_read(document),
                    {
                        "$push": {"ring": {"$each": [entry], "$slice": -RING}},
                        "$set": {"expireAt": now + KEPT},
                        "$inc": {"rev": 1},
                    },
                )
            )
    return refused, writes
