"""Records with a person's names, outside of pages: exported or blanked.

Each finder does both, so that export and erasure can't differ.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import orjson

from sender_service.models.data_subject import (
    DataSubject,
    names_person,
    recipients_without,
    standing_at,
    trigger_without,
)
from sender_service.store.erasure import ErasureStore
from shared.models.dead_letter import DeadLetter
from shared.mongo.client import Document
from shared.mongo.collections import CONTACTS, DEAD_LETTERS, PARKED, PARTS, SENDS

LONG_ENOUGH = 8  # characters: shorter names are found by chance in bytes that are no JSON


@dataclass(frozen=True)
class Place:
    """A record that names the person: its content, and how to blank it."""

    shown: Document
    blank: Callable[[], Awaitable[None]]


Finder = Callable[[DataSubject], AsyncIterator[Place]]


@dataclass(frozen=True)
class PersonalDataFinder:
    store: ErasureStore

    @property
    def finders(self) -> Mapping[str, Finder]:
        """Finders by collection."""
        return {
            SENDS.name: self._triggers,
            PARTS.name: self._parts,
            CONTACTS.name: self._contacts,
            PARKED.name: self._parked,
            DEAD_LETTERS.name: self._letters,
        }

    async def blank(self, erased: DataSubject) -> None:
        for find in self.finders.values():
            async for place in find(erased):
                await place.blank()

    async def _triggers(self, erased: DataSubject) -> AsyncIterator[Place]:
        async for send, came, trigger in self.store.triggers(erased.app):
            changes = trigger_without(trigger, erased, came)
            if changes:
                shown = {"send": send, "at": came, "named": standing_at(trigger, changes)}
                yield Place(shown, partial(self.store.change_trigger, send, changes))

    async def _parts(self, erased: DataSubject) -> AsyncIterator[Place]:
        sends: dict[str, datetime] = {}
        async for send, came, _ in self.store.triggers(erased.app):
            sends[send] = came
        async for part in self.store.parts():
            came_with = sends.get(part["send"])
            if came_with is None:
                continue
            changes = recipients_without(part["recipients"], erased, came_with)
            if changes:
                shown = {"send": part["send"], "named": standing_at(part, changes)}
                yield Place(shown, partial(self.store.change_part, part["_id"], changes))

    async def _contacts(self, erased: DataSubject) -> AsyncIterator[Place]:
        async for until, contact in self.store.contacts(erased):
            shown = {"pushes": contact.get("ring", [])}
            yield Place(shown, partial(self.store.drop_contact, contact, until))

    async def _parked(self, erased: DataSubject) -> AsyncIterator[Place]:
        async for parked in self.store.parked(erased.players):
            blank = partial(self.store.drop_parked, [parked["_id"]])
            yield Place({"event": parked["event"]}, blank)

    async def _letters(self, erased: DataSubject) -> AsyncIterator[Place]:
        async for letter in self.store.letters():
            if _is_about(letter, erased):
                yield Place(
                    _told(letter, erased), partial(self.store.blank_dead_letter, letter["_id"])
                )


def _is_about(letter: Document, erased: DataSubject) -> bool:
    key, value = DeadLetter.unpack(letter["key"]), DeadLetter.unpack(letter["value"])
    names = {name.encode() for name in erased.exact(letter["at"])}
    if key in names:
        return True
    try:
        return names_person(orjson.loads(value), erased, letter["at"])
    except orjson.JSONDecodeError:
        return any(name in value for name in names if len(name) >= LONG_ENOUGH)


def _told(letter: Document, erased: DataSubject) -> Document:
    """Return the exported dead letter; without its content if that is another app's.

    A namesake in another app is erased too: the app's name may be the record's error.
    """
    head = {"id": letter["_id"], "topic": letter["topic"], "code": letter["code"]}
    key, value = DeadLetter.decode(letter["key"]), DeadLetter.decode(letter["value"])
    app = value.get("app", erased.app) if isinstance(value, dict) else erased.app
    content = {"key": key, "value": value} if app == erased.app else {}
    return {**head, "at": letter["at"], **content}
