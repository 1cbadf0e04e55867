"""The stage that forgets: on `carillon.erase` it blanks what is the sender's, in place.

Outcomes, sums and interactions stay; they hang on places in pages, not on names. Repeated, it finds
nothing left to blank.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import orjson

from sender_service.models.erasure import (
    ERASE,
    Erased,
    lonely_bodies,
    names_person,
    page_without,
    recipients_without,
    trigger_without,
)
from sender_service.models.page import PageEdit
from sender_service.store.erasure import ErasureStore
from sender_service.store.pages import PageStore
from shared.clock import Clock
from shared.dead_letters import Poison
from shared.errors import InvalidPayload
from shared.kafka import Record
from shared.models.dead_letter import DeadLetter
from shared.models.event import Event
from shared.mongo import Document
from shared.secrets import Vault
from shared.stage import Item, StageSpec
from shared.topics import ERASURE, EVENTS

log = logging.getLogger("carillon.erasure")

UNDER_WAY_SECONDS = 20  # so long a call's answer is waited for; gone within a minute is promised
LONG_ENOUGH = 8  # characters: shorter names are found by chance in bytes that are no JSON


def decode(record: Record) -> Event | None:
    if record.type != ERASE:
        return None
    event = Event.parse(record.value)
    if not isinstance(event.data.get("person"), str):
        raise InvalidPayload("data.person: who is to be erased?", code="no_person")
    return event


@dataclass(frozen=True)
class Erasure:
    store: ErasureStore
    pages: PageStore
    vault: Vault
    clock: Clock
    sweep_seconds: float
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    def stage(self) -> StageSpec[Event]:
        return StageSpec("erasure", ERASURE, (EVENTS.name,), decode, self.handle)

    async def handle(self, items: Sequence[Item[Event]]) -> list[Poison]:
        """Raises StoreUnavailable, to be tried again."""
        for item in items:
            await self.erase(Erased.of(item.value, self.vault.hash_key))
            log.info("erased", extra={"app": item.value.app, "event": item.value.id})
        return []

    async def erase(self, erased: Erased) -> None:
        await self._triggers(erased)
        await self._pages(erased)
        await self._letters(erased)
        await self.store.drop_contacts(erased.app, erased.persons)
        await self.store.drop_parked(erased.players)

    async def _triggers(self, erased: Erased) -> None:
        sends = set()
        async for send, trigger in self.store.triggers(erased.app):
            sends.add(send)
            changes = trigger_without(trigger, erased)
            if changes:
                await self.store.change_trigger(send, changes)
        async for part, recipients in self.store.parts(sends):
            changes = recipients_without(recipients, erased, "recipients")
            if changes:
                await self.store.change_part(part, changes)

    async def _pages(self, erased: Erased) -> None:
        """First all that can be blanked; then, once a second, what was under way."""
        found = [
            page
            async for page, members in self.store.members(erased.app)
            if any(erased.is_member(member) for member in members)
        ]
        for second in range(UNDER_WAY_SECONDS + 1):
            wait = second < UNDER_WAY_SECONDS
            found = [page for page in found if await self._page(page, erased, wait=wait)]
            if not found:
                return
            await self.sleep(1)

    async def _page(self, name: str, erased: Erased, *, wait: bool) -> bool:
        """True when something of it must be looked at again."""
        while (page := await self.pages.get(name)) is not None:
            edit = PageEdit(page, self.sweep_seconds)
            under_way = page_without(edit, erased, self.clock(), wait=wait)
            changes = edit.finish()
            if changes and not await self.pages.update(page, changes):
                continue  # somebody else wrote it meanwhile: on a fresh copy
            if changes:
                await self.store.blank_bodies(page, lonely_bodies(page))
            return under_way
        return False

    async def _letters(self, erased: Erased) -> None:
        async for letter in self.store.letters():
            if letter["value"] and _is_about(letter, erased):
                await self.store.blank_letter(letter["_id"])


def _is_about(letter: Document, erased: Erased) -> bool:
    key, value = DeadLetter.unpack(letter["key"]), DeadLetter.unpack(letter["value"])
    names = {name.encode() for name in erased.persons | erased.players | {erased.visitor} if name}
    if key in names:
        return True
    try:
        return names_person(orjson.loads(value), erased)
    except orjson.JSONDecodeError:
        return any(name in value for name in names if len(name) >= LONG_ENOUGH)
