"""Outcomes of a person in sends, found by reading the sends' pages one after another."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sender_service.models.send import EVER
from sender_service.pages.document import END, MemberState, PageDocument
from sender_service.pages.person_outcomes import PersonOutcome, outcomes_of
from sender_service.pages.view import PageView
from sender_service.store.pages import FULL_PAGES_A_READ
from sender_service.store.recent import Span, newest_of
from sender_service.store.send_pages import pages_of
from shared.events.payloads import INTERACTION_KINDS
from shared.ids import slot_of
from shared.mongo.client import Database, Document, in_batches, translate_mongo_errors
from shared.mongo.collections import INTERACTIONS, PAGES, SENDS
from shared.mongo.whole_reads import read_all
from shared.reasons import FinalReason

MEMBERS = {
    "number": 1,
    "members": 1,
    "outcomes": 1,
    "chunks": 1,
    "faults": 1,
    "about": 1,
    "plannedAt": 1,
}
SUMMARY = {"app": 1, "campaign": 1, "createdAt": 1, "pages": 1}


@dataclass(frozen=True, slots=True)
class SendSummary:
    """A send without its content. `pages`: their number."""

    id: str
    app: str
    campaign: str
    pages: int


@dataclass(frozen=True)
class PersonFilter:
    """A person's members: by the person's ids, or by players without a person."""

    persons: Collection[str]
    players: Collection[str]

    def has(self, member: list[str]) -> bool:
        if member[1]:
            return member[1] in self.persons
        return member[0] in self.players


@dataclass(frozen=True)
class MemberOutcome:
    """A member of a page, and its outcome."""

    page: str
    index: int
    chunk: str
    player: str
    outcome: MemberState
    reason: FinalReason | None
    at: datetime | None
    notification: str | None
    variant: str | None
    detail: str | None = None  # of its reason: why not applicable, or a text's fault
    items: tuple[str, ...] = ()  # that a scenario's push is about


class OutcomeReader:
    """Finds outcomes. Every method raises StoreUnavailable when MongoDB is away."""

    def __init__(self, database: Database) -> None:
        self._sends = database[SENDS.name]
        self._pages = database[PAGES.name]
        self._interactions = database[INTERACTIONS.name]

    async def send(self, send: str) -> SendSummary | None:
        with translate_mongo_errors():
            found = await self._sends.find_one({"_id": send}, SUMMARY)
        return None if found is None else _summary(found)

    async def recent(self, app: str, before: datetime, limit: int) -> list[SendSummary]:
        """Return the app's newest sends."""
        span = Span("createdAt", EVER, before)
        found = await newest_of(self._sends, {"app": app}, span, limit=limit, fields=SUMMARY)
        return [_summary(send) for send in found]

    async def of_send(self, send: str, person: PersonFilter) -> list[MemberOutcome]:
        found: list[MemberOutcome] = []
        async for page in pages_of(self._pages, send, MEMBERS, at_once=FULL_PAGES_A_READ):
            found += _of_page(PageView(cast(PageDocument, page)), person)
        return found

    async def of_segment(self, send: str, person: PersonFilter) -> list[MemberOutcome]:
        """Return those in a send to a segment, from the few of its pages that may have the person."""
        found: list[MemberOutcome] = []
        pages = await self._pages_for(send, person.persons)
        for query in in_batches("_id", pages, FULL_PAGES_A_READ):
            with translate_mongo_errors():
                read = await read_all(self._pages, query, MEMBERS)
            for page in sorted(read, key=lambda page: int(page["number"])):
                found += _of_page(PageView(cast(PageDocument, page)), person)
        return found

    async def by_person(self, send: str) -> dict[str, PersonOutcome]:
        """Return person → the outcome of all the person's players in a send."""
        found: dict[str, PersonOutcome] = {}
        fields = {"number": 1, "members": 1, "outcomes": 1, "chunks": 1, "about": 1}
        async for page in pages_of(self._pages, send, fields, at_once=FULL_PAGES_A_READ):
            for person, outcome in outcomes_of(PageView(cast(PageDocument, page))):
                found[person] = max(found.get(person, outcome), outcome)
        return found

    async def of_pages(self, pages: Sequence[str]) -> dict[str, PersonOutcome]:
        """Return person → the outcome of all the person's players in these pages."""
        found: dict[str, PersonOutcome] = {}
        fields = {"members": 1, "outcomes": 1, "chunks": 1}
        for query in in_batches("_id", pages, FULL_PAGES_A_READ):
            with translate_mongo_errors():
                read = await read_all(self._pages, query, fields)
            for page in read:
                for person, outcome in outcomes_of(PageView(cast(PageDocument, page))):
                    found[person] = max(found.get(person, outcome), outcome)
        return found

    async def _pages_for(self, send: str, persons: Collection[str]) -> list[str]:
        """Return the pages of a send to a segment that may have one of these persons."""
        # People were read in the order of their slots. Latecomers' pages come after the end.
        places, found = sorted([slot_of(person), person] for person in persons), []
        async for page in pages_of(self._pages, send, {"number": 1, "resumeAt": 1}):
            cursor = list(page["resumeAt"] or END)
            if cursor == END or (places and places[0] <= cursor):
                found.append(page["_id"])
            places = [place for place in places if place > cursor]
        return found

    async def interactions(
        self, pages: Collection[str]
    ) -> dict[str, dict[str, dict[str, datetime]]]:
        """Return page → kind → member's index → time."""
        times: dict[str, dict[str, dict[str, datetime]]] = {}
        with translate_mongo_errors():
            for page in pages:
                document = await self._interactions.find_one({"_id": page}, {"times": 1})
                if document is not None:
                    times[page] = {kind: document["times"][kind] for kind in INTERACTION_KINDS}
        return times


def _summary(send: Document) -> SendSummary:
    return SendSummary(send["_id"], send["app"], send["campaign"], send["pages"])


def _of_page(page: PageView, person: PersonFilter) -> Iterator[MemberOutcome]:
    for index, member in enumerate(page.members):
        if person.has(member):
            yield _found(page, index)


def _found(page: PageView, index: int) -> MemberOutcome:
    outcome, reason = page.outcome(index)
    chunk = page.chunk_of(index)
    at = chunk.at if chunk else page.planned_at
    return MemberOutcome(
        page=page.id,
        index=index,
        chunk=page.chunk_name(index),
        player=page.player(index),
        outcome=outcome,
        reason=reason,
        at=None if outcome == "pending" else at or page.planned_at,
        notification=chunk.notification_id if chunk and outcome == "sent" else None,
        variant=chunk.variant if chunk else None,
        detail=page.detail(index) or page.fault(index),
        items=tuple(claim.item for claim in page.about(index)),
    )
