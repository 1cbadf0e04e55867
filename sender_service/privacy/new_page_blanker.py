"""Blank members whom ingest erased while their page was planned.

A planner reads people some time before it inserts their page.
Ingest counts each erasure before its first write and after its last.
When the count changed since the first read, the page is checked against the ledger.
When it didn't, the erasure itself finds the page.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial

from sender_service.models.erased_names import is_blank
from sender_service.pages.document import Member
from sender_service.pages.page import NO_TIMEOUT, Page
from sender_service.privacy.page_erasure import blank_members
from sender_service.privacy.page_writing import write_blanked
from sender_service.store.erasure import ErasureStore
from sender_service.store.pages import PageStore
from sender_service.store.people import PeopleReader
from sender_service.store.stores import Stores
from shared.clock import Clock
from shared.documents.player import Player


@dataclass(frozen=True)
class NewPageBlanker:
    """Planner's ErasureCheck on the stores. Methods raise StoreUnavailable when MongoDB is away."""

    store: ErasureStore
    pages: PageStore
    people: PeopleReader
    clock: Clock

    @classmethod
    def of(cls, stores: Stores, clock: Clock) -> NewPageBlanker:
        return cls(stores.erasures, stores.pages, stores.people, clock)

    async def count(self) -> int:
        """Return how many erasures ingest has counted."""
        return await self.store.count()

    async def blank_erased(self, name: str) -> None:
        """Blank the page's erased members, their bodies and their push contacts."""
        while (page := await self.pages.get(name)) is not None:
            erased = await self._erased_members(page)
            blank_members(page, partial(_is_one_of, erased), self.clock(), wait=False)
            if not await write_blanked(page, self.pages, self.store, NO_TIMEOUT):
                continue
            for person in sorted({person for _, person in erased if person}):
                await self.store.drop_pushes(page.app, person, self.clock())
            return

    async def _erased_members(self, page: Page) -> set[tuple[str, str]]:
        members = [(m[0], m[1]) for m in page.members if not is_blank(m)]
        ledger = await self.people.ledger(page.app, [player for player, _ in members])
        erased = {m for m in members if _is_erased(ledger, m[0])}
        others = {m for m in members if m[1] and not _is_owner(ledger, m)} - erased
        erased_people = await self.store.erased_among({person for _, person in others})
        return erased | {m for m in others if m[1] in erased_people}


def _is_one_of(erased: Collection[tuple[str, str]], member: Member) -> bool:
    return (member[0], member[1]) in erased


def _is_erased(ledger: Mapping[str, Player], player: str) -> bool:
    return player in ledger and ledger[player]["state"] == "erased"


def _is_owner(ledger: Mapping[str, Player], member: tuple[str, str]) -> bool:
    return member[0] in ledger and ledger[member[0]]["person"] == member[1]
