"""Where the sender keeps what names people, read through, to be shown or blanked in place.

Nothing is indexed by person: nobody costs a document of their own, and an erase is rare. So it reads
all of an app's pages and triggers, a few at a time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from datetime import datetime
from typing import cast

from sender_service.models.data_subject import DataSubject
from sender_service.pages.page import Page
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
    PROJECTOR_META,
    SENDS,
)
from shared.mongo.whole_reads import walk

PAGES_A_READ = 4  # of 2,000 members each: more would hold up the event loop
TRIGGERS_A_READ = 4  # of up to 1 MiB each
PARKED_A_READ = 500
DEEDS_A_READ = 500


class ErasureStore:
    """Every method raises StoreUnavailable when MongoDB is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def members(
        self, app: str, since: datetime | None = None
    ) -> AsyncIterator[tuple[str, datetime, list[list[str]]]]:
        """(page, when it was planned, its members) of all pages of an app, or of those since."""
        query: Document = {"app": app} | ({"plannedAt": {"$gte": since}} if since else {})
        pages, shown = self._database[PAGES.name], {"members": 1, "plannedAt": 1}
        with translate_mongo_errors():
            async for page in walk(pages, query, shown, at_once=PAGES_A_READ):
                yield page["_id"], page["plannedAt"], page["members"]

    async def count(self) -> int:
        """How many erasures ingest has counted: before the first write of each, and after its last."""
        with translate_mongo_errors():
            found = await self._database[PROJECTOR_META.name].find_one({"_id": "erasures"})
        return int(found["count"]) if found else 0

    async def owned(self, members: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those of these (player, person) that ingest's ledger knows so; of nobody's, somebody's."""
        owners: dict[str, str] = {}
        with translate_mongo_errors():
            for wanted in in_batches("_id", sorted({player for player, _ in members})):
                async for entry in self._database[PLAYERS.name].find(wanted, {"person": 1}):
                    owners[entry["_id"]] = entry["person"]
        return {m for m in members if owners.get(m[0]) and m[1] in ("", owners[m[0]])}

    async def triggers(self, app: str) -> AsyncIterator[tuple[str, datetime, Document]]:
        """(send, when it came, its trigger)."""
        sends, shown = self._database[SENDS.name], {"trigger": 1, "createdAt": 1}
        with translate_mongo_errors():
            async for send in walk(sends, {"app": app}, shown, at_once=TRIGGERS_A_READ):
                yield send["_id"], send["createdAt"], send["trigger"]

    async def change_trigger(self, send: str, changes: Document) -> None:
        await self._set(SENDS.name, send, {f"trigger.{path}": v for path, v in changes.items()})

    async def parts(self) -> AsyncIterator[Document]:
        with translate_mongo_errors():
            async for part in walk(self._database[PARTS.name], {}, at_once=TRIGGERS_A_READ):
                yield part

    async def change_part(self, part: str, changes: Document) -> None:
        await self._set(PARTS.name, part, changes)

    async def blank_bodies(self, page: Page, which: Collection[int]) -> None:
        """Where they are still there: a closed page's are gone."""
        blank: Document = {f"bodies.{index}": {"data": {}} for index in which}
        if blank and page["open"]:
            await self._set(BODIES.name, page["bodies"], blank)

    async def letters(self) -> AsyncIterator[Document]:
        """Those whose content is there still."""
        shown = {"topic": 1, "code": 1, "at": 1, "key": 1, "value": 1}
        with translate_mongo_errors():
            letters, full = self._database[DEAD_LETTERS.name], {"value": {"$ne": ""}}
            async for letter in walk(letters, full, shown, at_once=TRIGGERS_A_READ):
                yield letter

    async def blank_dead_letter(self, letter: str) -> None:
        await self._set(DEAD_LETTERS.name, letter, {"key": "", "value": "", "erased": True})

    async def contacts(self, erased: DataSubject) -> AsyncIterator[tuple[datetime, Document]]:
        """(until when the person is meant, the ring of its pushes)."""
        untils = {f"{erased.app}:{person}": until for person, until in erased.persons.items()}
        with translate_mongo_errors():
            for wanted in in_batches("_id", sorted(untils)):
                async for contact in self._database[CONTACTS.name].find(wanted):
                    yield untils[contact["_id"]], contact

    async def drop_contact(self, contact: Document, until: datetime) -> None:
        """But what came since, also while we look."""
        contacts, key = self._database[CONTACTS.name], contact["_id"]
        older = {"$pull": {"ring": {"at": {"$lte": until}}}, "$inc": {"rev": 1}}
        with translate_mongo_errors():
            await contacts.update_one({"_id": key}, older)
            await contacts.delete_one({"_id": key, "ring": []})

    async def parked(self, players: Mapping[str, datetime]) -> AsyncIterator[Document]:
        """Stream events of these players that still wait for their delivery."""
        with translate_mongo_errors():
            async for parked in walk(self._database[PARKED.name], {}, at_once=PARKED_A_READ):
                event = cast(Document, parked.get("event") or {})
                until = players.get(str(event.get("playerId")))
                if until is not None and _is_from_before(event, until):
                    yield parked

    async def drop_parked(self, events: Collection[str]) -> None:
        with translate_mongo_errors():
            for wanted in in_batches("_id", sorted(events)):
                await self._database[PARKED.name].delete_many(wanted)

    async def bodies(self, page: str) -> list[Document]:
        """As rendered: while a page is open."""
        with translate_mongo_errors():
            found = await self._database[PAGES.name].find_one({"_id": page}, {"bodies": 1})
            key = None if found is None else found.get("bodies")
            kept = await self._database[BODIES.name].find_one({"_id": key}) if key else None
        return cast(list[Document], kept["bodies"]) if kept else []

    async def audit_entries(self, persons: Collection[str]) -> AsyncIterator[Document]:
        """Who looked at the person, or did something to it: by its id, which is a keyed hash."""
        with translate_mongo_errors():
            for wanted in in_batches("target.person", sorted(persons)):
                audit, shown = self._database[AUDIT.name], {"expireAt": 0}
                async for deed in walk(audit, wanted, shown, at_once=DEEDS_A_READ):
                    yield deed

    async def tombstones(self, persons: Collection[str]) -> AsyncIterator[Document]:
        """That the person was erased before, and came back."""
        with translate_mongo_errors():
            for wanted in in_batches("_id", sorted(persons)):
                async for tombstone in self._database[ERASED.name].find(wanted, {"at": 1}):
                    yield tombstone

    async def _set(self, collection: str, key: str, changes: Document) -> None:
        with translate_mongo_errors():
            await self._database[collection].update_one({"_id": key}, {"$set": changes})


def _is_from_before(event: Document, until: datetime) -> bool:
    at = event.get("occurredAt")
    return not isinstance(at, datetime) or at <= until
