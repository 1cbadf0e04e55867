"""The erasure stage: on each erase event it blanks the sender's data in place.

Outcomes, sums and interactions stay; they refer to positions in pages, not to names. Repeating it
changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from sender_service.context import SenderContext
from sender_service.privacy.page_erasure import blank_members
from sender_service.privacy.page_writing import write_blanked
from sender_service.privacy.records import PersonalDataFinder
from sender_service.privacy.subject import DataSubject
from sender_service.store.erasure import ErasureStore
from sender_service.store.pages import PageStore
from shared.clock import Clock
from shared.events.payloads import ErasePayload
from shared.events.registry import ERASE, payload_of
from shared.kafka.records import Record
from shared.kafka.topics import ERASURE_GROUP, EVENTS_TOPIC
from shared.models.event import Event
from shared.secrets import Vault
from shared.stage.dead_letters import Poison
from shared.stage.runner import Item, StageSpec

log = logging.getLogger("carillon.erasure")

UNDER_WAY_SECONDS = 20  # so long a call's answer is waited for; gone within a minute is promised
SECOND_PASS_SECONDS = 5  # ingest has erased by then, so who plans from now on knows nobody
YOUNG = timedelta(minutes=1)
ERASURE_BATCH_RECORDS = 2_000  # names of a crowd: one reading of all there is does for so many


def decode(record: Record) -> Event | None:
    if record.type != ERASE:
        return None
    event = Event.parse(record.value)
    payload_of(event, ErasePayload)
    return event


@dataclass(frozen=True)
class Erasure:
    store: ErasureStore
    pages: PageStore
    vault: Vault
    clock: Clock
    answer_timeout: timedelta
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    @classmethod
    def of(cls, context: SenderContext) -> Erasure:
        stores, timeout = context.stores, context.settings.plan.answer_timeout
        return cls(stores.erasures, stores.pages, context.vault, context.clock, timeout)

    def stage(self) -> StageSpec[Event]:
        return StageSpec(
            "erasure",
            ERASURE_GROUP,
            (EVENTS_TOPIC.name,),
            decode,
            self.handle,
            batch_records=ERASURE_BATCH_RECORDS,
            can_rest=True,
        )

    async def handle(self, items: Sequence[Item[Event]]) -> list[Poison]:
        """Erase the persons of these events in two passes. Raises StoreUnavailable, to be retried."""
        by_app: dict[str, list[Event]] = defaultdict(list)
        for item in items:
            by_app[item.value.app].append(item.value)
        began = self.clock()
        since = {app: [e.occurred_at for e in of_app] for app, of_app in by_app.items()}
        found = [DataSubject.of(app, of_app, self.vault.hash_key) for app, of_app in by_app.items()]
        for erased in found:
            await self.erase(erased)
        await self.sleep(SECOND_PASS_SECONDS)
        for erased in found:
            await self._second_pass(erased, min(began, *since[erased.app]) - YOUNG)
        for item in items:
            log.info("person erased", extra={"app": item.value.app, "event": item.value.id})
        return []

    async def erase(self, erased: DataSubject) -> None:
        await self._blank(erased, [p async for p in self._pages_of(erased)])
        await PersonalDataFinder(self.store).blank(erased)

    async def _second_pass(self, erased: DataSubject, since: datetime) -> None:
        """Blank what was written while ingest still knew the person: pages, runs and firings.

        People whom ingest knows now came back since: a late erasure leaves them alone.
        """
        pages: list[str] = []
        named: set[tuple[str, str]] = set()
        async for page, _, members in self.store.members(erased.app, since):
            mine = {(member[0], member[1]) for member in members if erased.may_cover(member)}
            named |= mine
            pages += [page] if mine else []
        theirs = await self.store.owned(named)
        for person in sorted({person for _, person in named - theirs if person}):
            if all(person != theirs_too for _, theirs_too in theirs):
                await self.store.drop_pushes(erased.app, person, self.clock())
        await self._blank(replace(erased, current_owners=theirs), pages)
        await PersonalDataFinder(self.store).blank_late(await self._until_now(erased), since)

    async def _until_now(self, erased: DataSubject) -> DataSubject:
        """Return the names, meant until now of those whom ingest knows no more. Who came back is spared."""
        now, gone = self.clock(), await self.store.gone_among(erased.persons)
        later = {one: max(until, now) for one, until in erased.persons.items() if one in gone}
        return replace(erased, persons={**erased.persons, **later})

    async def _pages_of(self, erased: DataSubject) -> AsyncIterator[str]:
        async for page, planned, members in self.store.members(erased.app):
            if any(erased.covers(member, planned) for member in members):
                yield page

    async def _blank(self, erased: DataSubject, pages: Sequence[str]) -> None:
        """Blank what can be blanked; then check once a second what was in progress."""
        left = list(pages)
        for second in range(UNDER_WAY_SECONDS + 1):
            wait = second < UNDER_WAY_SECONDS
            left = [page for page in left if await self._page(page, erased, wait=wait)]
            if not left:
                return
            await self.sleep(1)

    async def _page(self, name: str, erased: DataSubject, *, wait: bool) -> bool:
        """Blank one page; return whether it must be checked again."""
        while (page := await self.pages.get(name)) is not None:
            is_gone = partial(erased.covers, at=page.planned_at)
            under_way = blank_members(page, is_gone, self.clock(), wait=wait)
            if await write_blanked(page, self.pages, self.store, self.answer_timeout):
                return under_way
        return False
