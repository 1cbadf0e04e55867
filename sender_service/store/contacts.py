"""The `contacts` collection: recent pushes of each person, in one document with a bounded list.

Pushes of merged persons count as well: a login starts no new cap. A reservation copies them from
their documents into the person's own, where they stay when the merge is undone (docs/decisions/0064).
Pushes of scenarios are marked: a gap counts those alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from operator import itemgetter

from pymongo import InsertOne, UpdateOne

from sender_service.models.policy import Gap
from sender_service.store.merges import read_merges
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
NOTHING: Document = {"pushes": []}
MAX_ALIASES = 100  # documents read beside a person's own: more merges are a kiosk's or a program's
People = Mapping[str, Sequence[str]]  # person → the persons merged into it
Caps = Sequence[Cap | Gap]  # a send with a gap is a scenario's


class ContactStore:
    """Counts pushes for caps. Every method raises StoreUnavailable when MongoDB is away."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._contacts = database[CONTACTS.name]

    async def reserve(
        self, app: str, people: People, send: str, caps: Caps, now: datetime
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
        self, app: str, people: People, send: str, caps: Caps, now: datetime
    ) -> set[str]:
        """Return the people whose cap is reached; records nothing."""
        return _check_caps(app, people, await self._read(app, people), send, caps, now)[0]

    async def scenario_pushes(self, app: str, people: People) -> dict[str, list[datetime]]:
        """Return the times of each person's scenario pushes, also of those merged into them."""
        known = await self._read(app, people)
        return {
            person: [
                entry["at"]
                for name in (person, *_merged(people, person))
                for entry in _scenario_entries(known.get(contact_key(app, name)))
            ]
            for person in people
        }

    async def scenario_sends(self, app: str, persons: Collection[str]) -> list[str]:
        """Return the sends of scenarios that pushed to one of these persons, the newest first."""
        known = (await self._read(app, dict.fromkeys(persons, ()))).values()
        entries = [entry for one in known for entry in _scenario_entries(one)]
        newest = sorted(entries, key=itemgetter("at", "send"), reverse=True)
        return list(dict.fromkeys(entry["send"] for entry in newest))

    async def release(self, app: str, people: Collection[str], send: str) -> None:
        """Remove this send's pushes of people who got nothing, and what was copied of them.

        Repeating it changes nothing.
        """
        await self._pull(app, people, {"pushes.send": send}, {"send": send})
        # Their own go first, and `rev` rises in any case: a reservation that read one before doesn't
        # copy it afterwards. Nobody is ever merged into two persons, so these records lead to all copies:
        # after an undo a browser's next login merges the person that it was since.
        merges = await read_merges(self._database, app, people)
        heirs = {merge["person"] for merge in merges}
        await self._pull(app, heirs, {}, {"send": send, "taken": True})

    async def _pull(
        self, app: str, people: Collection[str], where: Document, pushes: Document
    ) -> None:
        keys = sorted(contact_key(app, person) for person in people)
        pull = {"$pull": {"pushes": pushes}, "$inc": {"rev": 1}}
        with translate_mongo_errors():
            for batch in in_batches("_id", keys):
                await self._contacts.update_many({**batch, **where}, pull)

    async def _read(self, app: str, people: People) -> dict[str, Document]:
        # Merged persons' documents come last: what is given back after they were read raises `rev`
        # of the survivor's, which was read before.
        found: dict[str, Document] = {}
        merged = {name for person in people for name in _merged(people, person)}
        for names in (people, merged):
            keys = sorted(contact_key(app, name) for name in names)
            with translate_mongo_errors():
                for batch in in_batches("_id", keys):
                    found |= {d["_id"]: d for d in await read_all(self._contacts, batch)}
        return found


def contact_key(app: str, person: str) -> str:
    return f"{app}:{person}"


def _scenario_entries(document: Document | None) -> Iterator[Document]:
    return (entry for entry in (document or NOTHING)["pushes"] if "scenario" in entry)


def _merged(people: People, person: str) -> Sequence[str]:
    return people[person][:MAX_ALIASES]


class _CountedPushes:
    """Pushes that count for a person when a send is planned: the person's, and merged persons'.

    The latter are copied, marked as `taken`; of a send in several documents there is one push.
    """

    def __init__(
        self, own: Document | None, others: Sequence[Document], send: str, now: datetime
    ) -> None:
        self._own, self._send, self._now = own, send, now
        self._noted = {} if own is None else {entry["send"]: entry for entry in own["pushes"]}
        self._taken = {
            entry["send"]: {**entry, "taken": True}
            for document in others
            for entry in document["pushes"]
            if entry["at"] > now - CONTACTS_RETENTION and entry["send"] not in self._noted
        }

    @property
    def is_noted(self) -> bool:
        """Check whether the send is noted for the person, not only for one merged into them."""
        return self._send in self._noted and "taken" not in self._noted[self._send]

    def is_full(self, caps: Caps) -> bool:
        """Check whether other sends' pushes reach one of the caps, or are within the gap."""
        others = self._others()
        return any(_is_reached(cap, others, self._now) for cap in caps)

    def write(self, app: str, person: str, entries: Sequence[Document]) -> Write | None:
        """Return the write that notes the entries and copies what is new; None if nothing is."""
        pushes = sorted(self._others(), key=itemgetter("at", "send")) if self._taken else []
        pushes = pushes[len(entries) - MAX_PUSHES :]
        copies = any(entry["send"] in self._taken for entry in pushes)
        if not entries and not copies:
            return None
        expires = self._now + CONTACTS_RETENTION
        if self._own is None:
            # Copies follow under the document's `rev`, so that what is given back meanwhile isn't.
            fresh = {"_id": contact_key(app, person), "app": app, "rev": 1, "expireAt": expires}
            return InsertOne({**fresh, "pushes": [] if copies else list(entries)})
        changes: Document = {"$set": {"expireAt": expires}, "$inc": {"rev": 1}}
        if copies or self._send in self._noted:
            kept = pushes or self._others()
            changes["$set"]["pushes"] = [*kept, *entries]
        else:
            changes["$push"] = {"pushes": {"$each": list(entries), "$slice": -MAX_PUSHES}}
        return UpdateOne(if_unchanged(self._own), changes)

    def _others(self) -> list[Document]:
        """Return the pushes of other sends. One that began before the merge may have an entry."""
        every = (*self._noted.values(), *self._taken.values())
        return [entry for entry in every if entry["send"] != self._send]


def _is_reached(cap: Cap | Gap, pushes: Sequence[Document], now: datetime) -> bool:
    since = now - cap.window
    if isinstance(cap, Gap):
        in_gap = (push for push in pushes if push["at"] > since and "scenario" in push)
        return since < now and any(in_gap)
    return sum(1 for push in pushes if push["at"] > since) >= cap.count


def _check_caps(
    app: str,
    people: People,
    known: Mapping[str, Document],
    send: str,
    caps: Caps,
    now: datetime,
) -> tuple[set[str], list[Write]]:
    refused: set[str] = set()
    writes: list[Write] = []
    entry: Document = {"send": send, "at": now}
    if any(isinstance(cap, Gap) for cap in caps):
        entry["scenario"] = True
    for person in people:
        keys = (contact_key(app, name) for name in _merged(people, person))
        others = [known[key] for key in keys if key in known]
        pushes = _CountedPushes(known.get(contact_key(app, person)), others, send, now)
        if pushes.is_noted:
            continue
        is_full = pushes.is_full(caps)
        if is_full:
            refused.add(person)
        write = pushes.write(app, person, [] if is_full else [entry])
        if write is not None:
            writes.append(write)
    return refused, writes
