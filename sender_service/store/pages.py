"""The `pages` and `bodies` collections: inserted once, then changed only conditionally."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from pymongo import InsertOne, ReplaceOne, UpdateOne
from pymongo.errors import DuplicateKeyError

from sender_service.models.push import Push
from sender_service.models.send import EVER, SendRow
from sender_service.models.sums import Sums, decode_sums
from sender_service.pages.chunk import Chunk
from sender_service.pages.document import PageDocument, page_id
from sender_service.pages.page import Page
from sender_service.store.push_codec import decode_push, encode_bodies
from sender_service.store.send_pages import pages_of
from shared.mongo.client import (
    Database,
    Document,
    Write,
    if_unchanged,
    in_batches,
    translate_mongo_errors,
    write_conditionally,
)
from shared.mongo.collections import BODIES, PAGES
from shared.mongo.whole_reads import read_all
from shared.priority import RELEASE_ORDER, Priority

DUE_PAGES_LIMIT = 64  # pages a look: more are not released in one turn
OUT_LIMIT = 2_000
FULL_PAGES_A_READ = 4  # of 2,000 members each: more would delay the event loop
_OPEN = {"send": 1, "dueAt": 1, "inFlight": 1, "answerDueAt": 1, "anyAttempted": 1}


@dataclass(frozen=True)
class OpenPage:
    """The fields of an open page that decide whether the scheduler reads it."""

    id: str
    send: str
    due_at: datetime
    in_flight: int
    any_attempted: bool
    answer_due_at: datetime

    def is_paused(self, send: SendRow, now: datetime) -> bool:
        """Return whether a pause stops it: it has no attempt and isn't expired."""
        paused = send.paused and send.state == "sending" and send.expires_at > now
        return paused and not self.any_attempted


class PageStore:
    """Stores pages. Every method raises StoreUnavailable when MongoDB is away."""

    def __init__(self, database: Database) -> None:
        self._pages = database[PAGES.name]
        self._bodies = database[BODIES.name]

    async def insert(self, page: Page, pushes: Sequence[Push]) -> bool:
        """Insert the bodies of pushes, then the page; return False if the page existed.

        Bodies are named by their content. So a late planner without a lease can't change the page's
        own ones.
        """
        bodies = _give_bodies(page, pushes)
        with translate_mongo_errors():
            if pushes:
                of = {"_id": page.bodies_id}
                await self._bodies.bulk_write([ReplaceOne(of, bodies, upsert=True)])
            try:
                await self._pages.insert_one(cast(Document, page.document))
            except DuplicateKeyError:
                return False
        return True

    async def insert_bodies(self, pages: Sequence[tuple[Page, Sequence[Push]]]) -> None:
        """Insert the bodies of pages that are inserted next, and set their ids."""
        kept: list[Write] = []
        for page, pushes in pages:
            bodies = _give_bodies(page, pushes)
            if page.is_open:
                kept.append(InsertOne(bodies))
        if kept:
            with translate_mongo_errors():
                await write_conditionally(self._bodies, kept)

    async def insert_all(self, pages: Sequence[Page]) -> dict[str, Page]:
        """Insert pages whose bodies exist; return the stored ones that existed before."""
        fresh: list[Write] = [InsertOne(cast(Document, page.document)) for page in pages]
        with translate_mongo_errors():
            if not fresh or await write_conditionally(self._pages, fresh) == len(fresh):
                return {}
        stored = await self.get_many([page.id for page in pages])
        ours = {page.id: page.planned_at for page in pages}
        return {key: page for key, page in stored.items() if page.planned_at != ours[key]}

    async def last(self, send: str) -> tuple[int, Any] | None:
        """Return number and next cursor of the last planned page; None without pages."""
        newest = None
        async for page in pages_of(self._pages, send, {"number": 1, "resumeAt": 1}):
            newest = page
        return None if newest is None else (newest["number"], newest["resumeAt"])

    async def index(self, send: str) -> list[tuple[Any, str]]:
        """Return the next cursor and id of each page of a send, in order."""
        pages = pages_of(self._pages, send, {"number": 1, "resumeAt": 1})
        return [(page["resumeAt"], page["_id"]) async for page in pages]

    async def get(self, page: str) -> Page | None:
        with translate_mongo_errors():
            found = await self._pages.find_one({"_id": page})
        return None if found is None else _page(found)

    async def get_many(self, pages: Sequence[str]) -> dict[str, Page]:
        found: dict[str, Page] = {}
        with translate_mongo_errors():
            for batch in in_batches("_id", pages):
                for page in await read_all(self._pages, batch):
                    found[page["_id"]] = _page(page)
        return found

    async def by_notifications(self, messages: Sequence[str]) -> list[Page]:
        """Return the pages of these messages, by their providers' ids."""
        found: dict[str, Page] = {}
        with translate_mongo_errors():
            for batch in in_batches("notifications", messages):
                for page in await read_all(self._pages, batch):
                    found[page["_id"]] = _page(page)
        return list(found.values())

    async def pushes(self, page: Page) -> list[Push]:
        """Return the rendered pushes of the page's chunks, as planned; none once it is closed."""
        with translate_mongo_errors():
            found = await self._bodies.find_one({"_id": page.bodies_id})
        return [] if found is None else [decode_push(body) for body in found["bodies"]]

    async def update(self, page: Page, changes: Document) -> bool:
        """Write an edit; return False if the page changed since it was read."""
        return await self.update_all([(page, changes)])

    async def update_all(self, edits: Sequence[tuple[Page, Document]]) -> bool:
        """Write edits and delete the bodies of closed pages. Return False if any page changed since
        it was read: only a new read shows which one."""
        writes = [
            UpdateOne(if_unchanged(page.document), {"$set": changes, "$inc": {"rev": 1}})
            for page, changes in edits
        ]
        closed = [page.bodies_id for page, _ in edits if not page.is_open]
        with translate_mongo_errors():
            all_written = await write_conditionally(self._pages, writes) == len(writes)
            for over in in_batches("_id", closed if all_written else []):
                await self._bodies.delete_many(over)
        return all_written

    async def due_pages(self, app: str, priority: Priority, now: datetime) -> list[OpenPage]:
        """Return some of the pages that are due by then, the longest due first."""
        query = {"app": app, "priority": priority, "dueAt": {"$gte": EVER, "$lte": now}}
        return await self._open(query, DUE_PAGES_LIMIT)

    async def open_dues(self, send: str) -> list[tuple[str, datetime, int]]:
        """Return id, due time and unanswered calls of each open page of a send."""
        fields = {"dueAt": 1, "inFlight": 1}
        with translate_mongo_errors():
            found = await read_all(self._pages, {"send": send, "open": True}, fields)
        return [(page["_id"], page["dueAt"], page["inFlight"]) for page in found]

    async def out(self, app: str, now: datetime, answer_timeout: timedelta) -> int:
        """Count the app's released calls without an answer."""
        found, answers_due = [], {"$gt": now, "$lte": now + answer_timeout}
        for priority in RELEASE_ORDER:
            # A page with anything out is due when its answer is, at the latest.
            query = {"app": app, "priority": priority, "dueAt": answers_due}
            found += await self._open(query, OUT_LIMIT)
        return sum(page.in_flight for page in found)

    async def _open(self, query: Document, limit: int) -> list[OpenPage]:
        with translate_mongo_errors():
            found = [
                OpenPage(
                    p["_id"], p["send"], p["dueAt"], p["inFlight"], p["anyAttempted"], p["answerDueAt"],
                )
                for p in await read_all(self._pages, query, _OPEN, limit=limit)
            ]  # fmt: skip
        return sorted(found, key=lambda page: (page.due_at, page.id))

    async def postpone(self, pages: Sequence[str], due: datetime) -> None:
        """Make open pages due later; concurrent edits fail and are repeated."""
        with translate_mongo_errors():
            for batch in in_batches("_id", pages):
                await self._pages.update_many(
                    {**batch, "open": True}, {"$set": {"dueAt": due}, "$inc": {"rev": 1}}
                )

    async def make_due(self, send: str, due: datetime) -> None:
        """Make a send's open pages due; concurrent edits fail and are repeated."""
        with translate_mongo_errors():
            await self._pages.update_many(
                {"send": send, "open": True}, {"$set": {"dueAt": due}, "$inc": {"rev": 1}}
            )

    async def of_send(self, send: str) -> AsyncIterator[Page]:
        """Yield all pages of a send."""
        async for page in pages_of(self._pages, send, None, at_once=FULL_PAGES_A_READ):
            yield _page(page)

    async def chunks_of(self, send: str) -> AsyncIterator[Iterable[Chunk]]:
        """Yield the chunks of each page, without members."""
        async for page in pages_of(self._pages, send, {"number": 1, "chunks": 1}):
            yield [Chunk(chunk) for chunk in page["chunks"].values()]

    async def sums(self, send: str) -> tuple[Sums, int]:
        """Return the send's sums so far and the number of its open pages."""
        return (await self.sums_of({send: 0}))[send]

    async def sums_of(self, sends: Mapping[str, int]) -> dict[str, tuple[Sums, int]]:
        """Return send → (its sums so far, the number of its open pages). `sends`: send → its number
        of pages, 0 if unknown."""
        found = {send: (Sums(), 0) for send in sends}

        def add(page: Document) -> None:
            total, still_open = found[page["send"]]
            total.add(decode_sums(page["sums"]))
            found[page["send"]] = (total, still_open + page["open"])

        fields = {"number": 1, "send": 1, "sums": 1, "open": 1}
        known = [page_id(send, n) for send, pages in sends.items() for n in range(pages)]
        with translate_mongo_errors():
            for batch in in_batches("_id", known):
                for page in await read_all(self._pages, batch, fields):
                    add(page)
        for send in (send for send, pages in sends.items() if not pages):
            async for page in pages_of(self._pages, send, fields):
                add(page)
        return found


def _give_bodies(page: Page, pushes: Sequence[Push]) -> Document:
    """Set the page's id of its bodies; return their document."""
    page.document["bodiesId"], bodies = encode_bodies(page.id, pushes)
    return {"_id": page.bodies_id, "bodies": bodies, "expireAt": page.expire_at}


def _page(document: Document) -> Page:
    return Page(cast(PageDocument, document))
