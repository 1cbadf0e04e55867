"""The `contacts` collection: recent pushes of each person, in one document with a bounded list.

Pushes of merged persons count as well: a login starts no new cap. Their documents stay separate and
are read with the person's own (docs/decisions/0052).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from pymongo import InsertOne, UpdateOne

from shared.models.app import Cap
from shared.mongo.client import (
    Database,
    Document,
    Write,
    if_unchanged,
    in_batches,
    translate_mongo_errors,
    write_conditionally,
)
from shared.mongo.collections import CONTACTS
from shared.mongo.whole_reads import read_all

MAX_PUSHES = 64  # remembered a person: more than a cap can count
CONTACTS_RETENTION = timedelta(days=91)  # longer than the longest cap
MAX_ALIASES = 100  # documents read beside a person's own: more merges are a kiosk's or a program's
People = Mapping[str, Sequence[str]]  # person → the persons merged into it


class ContactStore:
    """Counts pushes for caps. Every method raises StoreUnavailable when MongoDB is away."""

    def __init__(self, database: Database) -> None:
        self._contacts = database[CONTACTS.name]

    async def reserve(
        self, app: str, people: People, send: str, caps: Sequence[Cap], now: datetime
    ) -> set[str]:
        """Record a push of this send for each person; return those whose cap is reached.

        Repeating it changes nothing. Writes are conditional: a lost one is read and tried again,
        until nothing is left to write.
        """
        while True:
            known = await self._read(app, people)
            refused, writes = _check_caps(app, people, known, send, caps, now)
            if not writes:
                return refused
            with translate_mongo_errors():
                await write_conditionally(self._contacts, writes)

    async def refused(
        self, app: str, people: People, send: str, caps: Sequence[Cap], now: datetime
    ) -> set[str]:
        """Return the people whose cap is reached; records nothing."""
        return _check_caps(app, people, await self._read(app, people), send, caps, now)[0]

    async def release(self, app: str, people: Collection[str], send: str) -> None:
        """Remove this send's pushes of people who got nothing."""
        keys = [contact_key(app, person) for person in people]
        with translate_mongo_errors():
            for batch in in_batches("_id", keys):
                await self._contacts.update_many(
                    {**batch, "pushes.send": send},
                    {"$pull": {"pushes": {"send": send}}, "$inc": {"rev": 1}},
                )

    async def _read(self, app: str, people: People) -> dict[str, Document]:
        names = {name for person in people for name in _names(people, person)}
        keys = [contact_key(app, name) for name in sorted(names)]
        found: dict[str, Document] = {}
        with translate_mongo_errors():
            for batch in in_batches("_id", keys):
                found |= {d["_id"]: d for d in await read_all(self._contacts, batch)}
        return found


def contact_key(app: str, person: str) -> str:
    return f"{app}:{person}"


def _names(people: People, person: str) -> list[str]:
    """Return the person's id, then those of merged persons."""
    return [person, *people[person][:MAX_ALIASES]]


def _check_caps(
    app: str,
    people: People,
    known: Mapping[str, Document],
    send: str,
    caps: Sequence[Cap],
    now: datetime,
) -> tuple[set[str], list[Write]]:
    refused: set[str] = set()
    writes: list[Write] = []
    entry = {"send": send, "at": now}
    for person in people:
        documents = [_times(known.get(contact_key(app, name))) for name in _names(people, person)]
        if send in documents[0]:
            continue
        pushes: dict[str, datetime] = {}  # a send that is in two documents is one push
        for times in documents:
            pushes |= times
        pushes.pop(send, None)  # it began before the merge
        document = known.get(contact_key(app, person))
        if any(sum(at > now - cap.window for at in pushes.values()) >= cap.count for cap in caps):
            refused.add(person)
        elif document is None:
            fresh = {"_id": contact_key(app, person), "app": app, "pushes": [entry], "rev": 1}
            writes.append(InsertOne({**fresh, "expireAt": now + CONTACTS_RETENTION}))
        else:
            writes.append(
                UpdateOne(
                    if_unchanged(document),
                    {
                        "$push": {"pushes": {"$each": [entry], "$slice": -MAX_PUSHES}},
                        "$set": {"expireAt": now + CONTACTS_RETENTION},
                        "$inc": {"rev": 1},
                    },
                )
            )
    return refused, writes


def _times(document: Document | None) -> dict[str, datetime]:
    """Return send → when it was pushed."""
    return {} if document is None else {e["send"]: e["at"] for e in document["pushes"]}
