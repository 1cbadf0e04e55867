"""Records with a person's names, outside of pages: exported or blanked.

Each finder does both, so that export and erasure can't differ.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import orjson

from sender_service.models.send import NEVER
from sender_service.privacy.subject import (
    DataSubject,
    names_person,
    recipients_without,
    standing_at,
    trigger_without,
)
from sender_service.store.erasure import DeadLetterContent, ErasureStore
from shared.models.dead_letter import DeadLetter
from shared.mongo.collections import (
    CONTACTS,
    DEAD_LETTERS,
    FIRINGS,
    HISTORIES,
    PARKED,
    PARTS,
    RUNS,
    SENDS,
)

LONG_ENOUGH = 8  # characters: shorter names are found by chance in bytes that are no JSON


@dataclass(frozen=True)
class PersonalDataRecord:
    """A record that names the person: its content, and how to blank it."""

    content: Mapping[str, object]
    blank: Callable[[], Awaitable[None]]


Finder = Callable[[DataSubject], AsyncIterator[PersonalDataRecord]]


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
            RUNS.name: self._runs,
            FIRINGS.name: self._firings,
            HISTORIES.name: self._histories,
            PARKED.name: self._parked,
            DEAD_LETTERS.name: self._dead_letters,
        }

    async def blank(self, erased: DataSubject) -> None:
        await self._blank(erased, self.finders)

    async def blank_late(self, erased: DataSubject, since: datetime) -> None:
        """Blank what scenarios wrote while ingest still knew the person; of sends those created since."""
        await self._blank(erased, (RUNS.name, FIRINGS.name, HISTORIES.name))
        # A trigger may have been taken in with names that its firing lost meanwhile.
        async for send, trigger in self.store.fired_triggers(erased.app, since):
            named = {one.get("person") for one in trigger.get("recipients") or ()}
            if theirs := named & erased.persons.keys():
                members = await self.store.scenarios.members([send])
                lost = dict.fromkeys(theirs - members.get(send, set()), NEVER)
                changes = trigger_without(trigger, replace(erased, persons=lost), since)
                if changes:
                    await self.store.change_trigger(send, changes)

    async def _blank(self, erased: DataSubject, collections: Iterable[str]) -> None:
        for find in map(self.finders.__getitem__, collections):
            async for record in find(erased):
                await record.blank()

    async def _triggers(self, erased: DataSubject) -> AsyncIterator[PersonalDataRecord]:
        async for send, came, trigger in self.store.triggers(erased.app):
            changes = trigger_without(trigger, erased, came)
            if changes:
                content = {"send": send, "at": came, "named": standing_at(trigger, changes)}
                yield PersonalDataRecord(content, partial(self.store.change_trigger, send, changes))

    async def _parts(self, erased: DataSubject) -> AsyncIterator[PersonalDataRecord]:
        sends: dict[str, datetime | None] = {}
        async for part in self.store.parts():
            if part.send not in sends:
                sends[part.send] = await self.store.creation(erased.app, part.send)
            came_with = sends[part.send]
            if came_with is None:
                continue
            changes = recipients_without(part.recipients, erased, came_with)
            if changes:
                named = standing_at({"recipients": part.recipients}, changes)
                yield PersonalDataRecord(
                    {"send": part.send, "named": named},
                    partial(self.store.change_part, part.id, changes),
                )

    async def _contacts(self, erased: DataSubject) -> AsyncIterator[PersonalDataRecord]:
        async for contact in self.store.contacts(erased.app, erased.persons):
            until = erased.persons[contact.person]
            drop = partial(self.store.drop_pushes, erased.app, contact.person, until)
            yield PersonalDataRecord({"pushes": contact.pushes}, drop)

    async def _runs(self, erased: DataSubject) -> AsyncIterator[PersonalDataRecord]:
        scenarios = self.store.scenarios
        async for run in scenarios.runs(erased.app, erased.persons):
            yield PersonalDataRecord(run.content, partial(scenarios.delete_run, run.id))

    async def _firings(self, erased: DataSubject) -> AsyncIterator[PersonalDataRecord]:
        scenarios = self.store.scenarios
        async for firing in scenarios.firings(erased.app, erased.persons):
            yield PersonalDataRecord(firing.content, partial(scenarios.blank_members, firing))

    async def _histories(self, erased: DataSubject) -> AsyncIterator[PersonalDataRecord]:
        histories = self.store.histories
        async for one in histories.find(erased.app, erased.persons):
            until = erased.persons[one.person]
            yield PersonalDataRecord(
                one.content, partial(histories.delete_until, one.person, until)
            )

    async def _parked(self, erased: DataSubject) -> AsyncIterator[PersonalDataRecord]:
        async for parked in self.store.parked(erased.players):
            blank = partial(self.store.drop_parked, [parked.id])
            yield PersonalDataRecord({"event": parked.event}, blank)

    async def _dead_letters(self, erased: DataSubject) -> AsyncIterator[PersonalDataRecord]:
        async for dead_letter in self.store.dead_letters():
            if _is_about(dead_letter, erased):
                yield PersonalDataRecord(
                    _to_exported(dead_letter, erased),
                    partial(self.store.blank_dead_letter, dead_letter.id),
                )


def _is_about(dead_letter: DeadLetterContent, erased: DataSubject) -> bool:
    key, value = DeadLetter.unpack(dead_letter.key), DeadLetter.unpack(dead_letter.value)
    names = {name.encode() for name in erased.exact(dead_letter.at)}
    if key in names:
        return True
    try:
        return names_person(orjson.loads(value), erased, dead_letter.at)
    except orjson.JSONDecodeError:
        return any(name in value for name in names if len(name) >= LONG_ENOUGH)


def _to_exported(dead_letter: DeadLetterContent, erased: DataSubject) -> Mapping[str, object]:
    """Return the exported dead letter; without its content if that is another app's.

    A namesake in another app is erased too: the app's name may be the record's error.
    """
    head = {"id": dead_letter.id, "topic": dead_letter.topic, "code": dead_letter.code}
    key, value = DeadLetter.decode(dead_letter.key), DeadLetter.decode(dead_letter.value)
    app = value.get("app", erased.app) if isinstance(value, dict) else erased.app
    content = {"key": key, "value": value} if app == erased.app else {}
    return {**head, "at": dead_letter.at, **content}
