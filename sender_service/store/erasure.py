"""Where the sender keeps what names people, read through and blanked in place.

Nothing is indexed by person: nobody costs a document of their own, and an erase is rare. So it reads
all of an app's pages and triggers, a few at a time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from datetime import datetime
from typing import Any, cast

from sender_service.models.page import Page
from sender_service.models.send import NEVER
from shared.collections import BODIES, CONTACTS, DEAD_LETTERS, PAGES, PARKED, PARTS, SENDS
from shared.mongo import Database, Document, translate_mongo_errors

PAGES_A_READ = 4  # of 2,000 members each: more would hold up the event loop
TRIGGERS_A_READ = 4  # of up to 1 MiB each


class ErasureStore:
    """Every method raises StoreUnavailable when MongoDB is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def members(self, app: str) -> AsyncIterator[tuple[str, list[list[str]]]]:
        """(page, its members) of all pages of an app."""
        found = self._database[PAGES.name].find({"app": app}, {"members": 1})
        with translate_mongo_errors():
            async for page in found.batch_size(PAGES_A_READ):
                yield page["_id"], page["members"]

    async def young_sends(self, app: str, since: datetime) -> list[str]:
        """Sends that came since, or are planned right now."""
        young = {"app": app, "createdAt": {"$gte": since, "$lt": NEVER}}
        planning = {"app": app, "closedAt": None, "state": "planning"}
        with translate_mongo_errors():
            return [
                send["_id"]
                for query in (young, planning)
                async for send in self._database[SENDS.name].find(query, {"_id": 1})
            ]

    async def members_of(self, send: str) -> AsyncIterator[tuple[str, list[list[str]]]]:
        """(page, its members) of one send."""
        found = self._database[PAGES.name].find({"send": send}, {"members": 1})
        with translate_mongo_errors():
            async for page in found.batch_size(PAGES_A_READ):
                yield page["_id"], page["members"]

    async def triggers(self, app: str) -> AsyncIterator[tuple[str, Document]]:
        """(send, its trigger)."""
        found = self._database[SENDS.name].find({"app": app}, {"trigger": 1})
        with translate_mongo_errors():
            async for send in found.batch_size(TRIGGERS_A_READ):
                yield send["_id"], send["trigger"]

    async def change_trigger(self, send: str, changes: Document) -> None:
        await self._set(SENDS.name, send, {f"trigger.{path}": v for path, v in changes.items()})

    async def parts(self, sends: Collection[str]) -> AsyncIterator[tuple[str, list[Document]]]:
        """(part, its recipients) of these sends."""
        with translate_mongo_errors():
            async for part in self._database[PARTS.name].find({}).batch_size(TRIGGERS_A_READ):
                if part["send"] in sends:
                    yield part["_id"], part["recipients"]

    async def change_part(self, part: str, changes: Document) -> None:
        await self._set(PARTS.name, part, changes)

    async def blank_bodies(self, page: Page, which: Collection[int]) -> None:
        """Where they are still there: a closed page's are gone."""
        blank: Document = {f"bodies.{index}": {"data": {}} for index in which}
        if blank and page["open"]:
            await self._set(BODIES.name, page["bodies"], blank)

    async def letters(self) -> AsyncIterator[Document]:
        with translate_mongo_errors():
            found = self._database[DEAD_LETTERS.name].find({}, {"key": 1, "value": 1})
            async for letter in found.batch_size(TRIGGERS_A_READ):
                yield letter

    async def blank_letter(self, letter: str) -> None:
        await self._set(DEAD_LETTERS.name, letter, {"key": "", "value": "", "erased": True})

    async def drop_contacts(self, app: str, persons: Collection[str]) -> None:
        with translate_mongo_errors():
            for person in persons:
                await self._database[CONTACTS.name].delete_one({"_id": f"{app}:{person}"})

    async def drop_parked(self, players: Collection[str]) -> None:
        """Stream events of these players that still wait for their delivery."""
        with translate_mongo_errors():
            found = self._database[PARKED.name].find({}, {"event.playerId": 1})
            ids = [d["_id"] async for d in found if _player(d) in players]
            for event in ids:
                await self._database[PARKED.name].delete_one({"_id": event})

    async def _set(self, collection: str, key: str, changes: Document) -> None:
        with translate_mongo_errors():
            await self._database[collection].update_one({"_id": key}, {"$set": changes})


def _player(parked: Document) -> Any:
    return cast(Document, parked.get("event") or {}).get("playerId")
