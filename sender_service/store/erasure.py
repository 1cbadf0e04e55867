"""Personal data in the sender's collections, read to be exported or blanked in place.

Nothing is indexed by person: an index would cost a document per person, and erasures are rare. So
all pages and triggers of an app are read, a few at a time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sender_service.pages.page import Page
from sender_service.store.contact_pushes import contact_key
from sender_service.store.histories import HistoryStore
from sender_service.store.pages import FULL_PAGES_A_READ
from sender_service.store.scenario_erasure import ScenarioErasure
from sender_service.store.send_queries import TRIGGERS_A_READ
from sender_service.store.sends import SendStore
from shared.mongo.client import Database, Document, in_batches, translate_mongo_errors
from shared.mongo.collections import (
    AUDIT,
    BODIES,
    CONTACTS,
    DEAD_LETTERS,
    ERASED,
    PAGES,
    PARKED,
    PARTS,
    PLAYERS,
    PROFILES,
    PROJECTOR_META,
)
from shared.mongo.whole_reads import read_all, walk

PARKED_A_READ = 500
ENTRIES_A_READ = 500


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A part of a send's list."""

    id: str
    send: str
    recipients: list[Document]


@dataclass(frozen=True, slots=True)
class StoredContact:
    """A person's recent pushes, which caps count."""

    person: str
    pushes: list[Document]


@dataclass(frozen=True, slots=True)
class StoredParkedEvent:
    id: str
    event: Document


@dataclass(frozen=True, slots=True)
class DeadLetterContent:
    """A dead letter that has content. `key` and `value` are base64."""

    id: str
    topic: str
    code: str
    at: datetime
    key: str
    value: str


class ErasureStore:
    """Reads and blanks personal data. Every method raises StoreUnavailable when MongoDB is away."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sends = SendStore(database)
        self.scenarios = ScenarioErasure(database)
        self.histories = HistoryStore(database)

    async def members(
        self, app: str, since: datetime | None = None
    ) -> AsyncIterator[tuple[str, datetime, list[list[str]]]]:
        """Yield page id, planning time and members of an app's pages, since a time if given."""
        query: Document = {"app": app} | ({"plannedAt": {"$gte": since}} if since else {})
        pages, fields = self._database[PAGES.name], {"members": 1, "plannedAt": 1}
        with translate_mongo_errors():
            async for page in walk(pages, query, fields, at_once=FULL_PAGES_A_READ):
                yield page["_id"], page["plannedAt"], page["members"]

    async def count(self) -> int:
        """Return how many erasures ingest has counted.

        Ingest counts before the first write of an erasure and after its last.
        """
        with translate_mongo_errors():
            found = await self._database[PROJECTOR_META.name].find_one({"_id": "erasures"})
        return int(found["count"]) if found else 0

    async def owned(self, members: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        """Return the (player, person) pairs that ingest's ledger confirms.

        A pair without a person is confirmed if the player has an owner.
        """
        owners: dict[str, str] = {}
        with translate_mongo_errors():
            for batch in in_batches("_id", sorted({player for player, _ in members})):
                async for entry in self._database[PLAYERS.name].find(batch, {"person": 1}):
                    owners[entry["_id"]] = entry["person"]
        return {m for m in members if owners.get(m[0]) and m[1] in ("", owners[m[0]])}

    def triggers(self, app: str) -> AsyncIterator[tuple[str, datetime, Document]]:
        """Yield send id, creation time and trigger of an app's sends."""
        return self._sends.triggers(app)

    def fired_triggers(self, app: str, since: datetime) -> AsyncIterator[tuple[str, Document]]:
        """Yield send id and trigger of an app's sends of scenarios, created since a moment."""
        return self._sends.fired_triggers(app, since)

    async def creation(self, app: str, send: str) -> datetime | None:
        """Return when a send of this app was created; None if the app has no such send."""
        found = await self._sends.heads([send])
        return next((one.created_at for one in found if one.app == app), None)

    async def change_trigger(self, send: str, changes: Document) -> None:
        await self._sends.blank_trigger(send, changes)

    async def parts(self) -> AsyncIterator[StoredPart]:
        with translate_mongo_errors():
            async for part in walk(self._database[PARTS.name], {}, at_once=TRIGGERS_A_READ):
                yield StoredPart(part["_id"], part["send"], part["recipients"])

    async def change_part(self, part: str, changes: Document) -> None:
        await self._set(PARTS.name, part, changes)

    async def blank_bodies(self, page: Page, which: Collection[int]) -> None:
        """Blank rendered texts of an open page; a closed page has none."""
        blank: Document = {f"bodies.{index}": {"data": {}} for index in which}
        if blank and page.is_open:
            await self._set(BODIES.name, page.bodies_id, blank)

    async def dead_letters(self) -> AsyncIterator[DeadLetterContent]:
        """Yield the dead letters that still have content."""
        fields = {"topic": 1, "code": 1, "at": 1, "key": 1, "value": 1}
        with translate_mongo_errors():
            dead_letters, full = self._database[DEAD_LETTERS.name], {"value": {"$ne": ""}}
            async for one in walk(dead_letters, full, fields, at_once=TRIGGERS_A_READ):
                yield DeadLetterContent(
                    one["_id"], one["topic"], one["code"], one["at"], one["key"], one["value"]
                )

    async def blank_dead_letter(self, dead_letter: str) -> None:
        await self._set(DEAD_LETTERS.name, dead_letter, {"key": "", "value": "", "erased": True})

    async def contacts(self, app: str, persons: Iterable[str]) -> AsyncIterator[StoredContact]:
        """Yield the recent pushes of these persons."""
        names = {contact_key(app, person): person for person in persons}
        with translate_mongo_errors():
            for batch in in_batches("_id", sorted(names)):
                async for contact in self._database[CONTACTS.name].find(batch):
                    yield StoredContact(names[contact["_id"]], contact.get("pushes", []))

    async def drop_pushes(self, app: str, person: str, until: datetime) -> None:
        """Delete pushes until this time; the document too, if none are left."""
        # Pushes that are recorded meanwhile stay.
        contacts, key = self._database[CONTACTS.name], contact_key(app, person)
        older = {"$pull": {"pushes": {"at": {"$lte": until}}}, "$inc": {"rev": 1}}
        with translate_mongo_errors():
            await contacts.update_one({"_id": key}, older)
            await contacts.delete_one({"_id": key, "pushes": []})

    async def parked(self, players: Mapping[str, datetime]) -> AsyncIterator[StoredParkedEvent]:
        """Yield stream events of these players that still wait for their delivery."""
        with translate_mongo_errors():
            async for parked in walk(self._database[PARKED.name], {}, at_once=PARKED_A_READ):
                event = cast(Document, parked.get("event") or {})
                until = players.get(str(event.get("playerId")))
                if until is not None and _is_from_before(event, until):
                    yield StoredParkedEvent(parked["_id"], event)

    async def drop_parked(self, events: Collection[str]) -> None:
        with translate_mongo_errors():
            for batch in in_batches("_id", sorted(events)):
                await self._database[PARKED.name].delete_many(batch)

    async def bodies(self, page: str) -> list[Document]:
        """Return the rendered texts of an open page; none for a closed one."""
        with translate_mongo_errors():
            found = await self._database[PAGES.name].find_one({"_id": page}, {"bodiesId": 1})
            key = None if found is None else found.get("bodiesId")
            kept = await self._database[BODIES.name].find_one({"_id": key}) if key else None
        return cast(list[Document], kept["bodies"]) if kept else []

    async def audit_entries(self, persons: Collection[str]) -> AsyncIterator[Document]:
        """Yield audit entries about these person ids, which are keyed hashes."""
        with translate_mongo_errors():
            for batch in in_batches("target.person", sorted(persons)):
                audit, fields = self._database[AUDIT.name], {"expireAt": 0}
                async for entry in walk(audit, batch, fields, at_once=ENTRIES_A_READ):
                    yield entry

    async def tombstones(self, persons: Collection[str]) -> AsyncIterator[Document]:
        """Yield tombstones of earlier erasures of these persons."""
        with translate_mongo_errors():
            for batch in in_batches("_id", sorted(persons)):
                async for tombstone in self._database[ERASED.name].find(batch, {"at": 1}):
                    yield tombstone

    async def erased_among(self, persons: Collection[str]) -> set[str]:
        """Return those of these persons that were erased."""
        return {tombstone["_id"] async for tombstone in self.tombstones(persons)}

    async def gone_among(self, persons: Collection[str]) -> set[str]:
        """Return those of these persons of whom ingest has no profile."""
        gone = set(persons)
        with translate_mongo_errors():
            for batch in in_batches("_id", sorted(persons)):
                found = await read_all(self._database[PROFILES.name], batch, {"_id": 1})
                gone -= {one["_id"] for one in found}
        return gone

    async def _set(self, collection: str, key: str, changes: Document) -> None:
        with translate_mongo_errors():
            await self._database[collection].update_one({"_id": key}, {"$set": changes})


def _is_from_before(event: Document, until: datetime) -> bool:
    at = event.get("occurredAt")
    return not isinstance(at, datetime) or at <= until
