"""E1: whatever reads more than one answer finds all that is there, once, while others write."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from ingest_service.projector.store import MongoProjections
from ingest_service.snapshot import take
from ingest_service.snapshot.files import COPIED, Header, Writer, read_documents
from sender_service.models.send import EVER, SendRow
from sender_service.pages.document import page_id
from sender_service.pages.page import Page
from sender_service.store.erasure import ErasureStore
from sender_service.store.interactions import InteractionStore
from sender_service.store.outcomes import OutcomeReader, PersonFilter
from sender_service.store.pages import PageStore
from sender_service.store.people import MovedPlayer, PeopleReader
from sender_service.store.person_data import PersonDataReader
from sender_service.store.recent import Span, newest_of
from sender_service.store.sends import SendStore
from shared.mongo.client import Database, ensure_indexes, open_database
from shared.mongo.collections import INGEST, SENDER
from shared.mongo.whole_reads import walk
from shared.settings import Settings
from tests.integration.shared.planted import MANY, NAMES, NOW, planted, planted_page
from tests.integration.shared.shifting import Shifting
from tests.support.documents import build_profile

PERSON = build_profile("eva")
Read = Callable[[Database], Awaitable[list[str]]]


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    async with open_database(settings.mongo, "test") as opened:
        for service in (INGEST, SENDER):
            await ensure_indexes(opened, service)
        yield opened


@pytest.fixture
async def shifting(database: Database) -> Database:
    """Nine of each kind of document."""
    for collection, documents in planted().items():
        await database[collection].insert_many(documents)
    return cast(Database, Shifting(database))


def _ids(documents: Any) -> list[str]:
    return [one.id if isinstance(one, Page | MovedPlayer) else str(one["_id"]) for one in documents]


async def _all(found: AsyncIterator[Any]) -> list[Any]:
    return [one async for one in found]


PAGES = [page_id("s", n) for n in range(MANY)]


async def _members(database: Database) -> list[str]:
    return [page for page, *_ in await _all(ErasureStore(database).members("demo"))]


async def _triggers(database: Database) -> list[str]:
    return [send for send, *_ in await _all(ErasureStore(database).triggers("demo"))]


async def _parked(database: Database) -> list[str]:
    until = {"p": NOW + timedelta(days=1)}
    return [one.id for one in await _all(ErasureStore(database).parked(until))]


async def _chunks(database: Database) -> list[str]:
    return [f"n{n}" for n, _ in enumerate(await _all(PageStore(database).chunks_of("s")))]


async def _sums(database: Database) -> list[str]:
    store = PageStore(database)
    alone, known = await store.sums("s"), (await store.sums_of({"s": MANY}))["s"]
    assert alone == known
    return NAMES[: alone[0].sent] + ["again"] * (alone[0].sent - MANY)


async def _last(database: Database) -> list[str]:
    last = await PageStore(database).last("s")
    return [] if last is None else NAMES[: last[0] + 1]


async def _index(database: Database) -> list[str]:
    return [page for _, page in await PageStore(database).index("s")]


async def _by_notifications(database: Database) -> list[str]:
    return _ids(await PageStore(database).by_notifications([f"m{n}" for n in range(MANY)]))


async def _out(database: Database) -> list[str]:
    out = await PageStore(database).out("demo", NOW - timedelta(1), timedelta(9))
    return NAMES[:out] + ["again"] * (out - MANY)


async def _outcomes(database: Database) -> list[str]:
    return [o.page for o in await OutcomeReader(database).of_send("s", PersonFilter({"eva"}, ()))]


async def _counts(database: Database) -> list[str]:
    counts = await InteractionStore(database).counts("s")
    return NAMES[: counts.clicks] + ["again"] * (counts.clicks - MANY)


async def _profiles(database: Database) -> list[str]:
    found, left = await MongoProjections(database).profiles_within(NAMES, 2**30)
    assert not left
    each = [v.id async for v in MongoProjections(database).each_visitor(NAMES)]
    assert sorted(each) == NAMES
    return list(found)


async def _owners(database: Database) -> list[str]:
    return [v.id async for v in MongoProjections(database).browsers_of_person("eva")]


async def _newest(database: Database) -> list[str]:
    span = Span("at", EVER, NOW + timedelta(days=1))
    return _ids(await newest_of(database["audit"], {}, span, limit=100))


READS: dict[str, tuple[Read, list[str]]] = {
    "owners": (_owners, NAMES),
    "browsers": (lambda d: _keys(MongoProjections(d).heads_of(["eva"])), NAMES),
    "profiles": (lambda d: _keys(_profiles(d)), NAMES),
    "erasure's pages": (_members, PAGES),
    "erasure's triggers": (_triggers, NAMES),
    "erasure's parts": (lambda d: _ids_of(ErasureStore(d).parts()), NAMES),
    "erasure's letters": (lambda d: _ids_of(ErasureStore(d).dead_letters()), NAMES),
    "erasure's parked": (_parked, NAMES),
    "deeds": (lambda d: _named(ErasureStore(d).audit_entries(["eva"])), NAMES),
    "pages of a send": (lambda d: _named(PageStore(d).of_send("s")), PAGES),
    "pages by id": (lambda d: _keys(PageStore(d).get_many(PAGES)), PAGES),
    "chunks": (_chunks, NAMES),
    "account": (_sums, NAMES),
    "last page": (_last, NAMES),
    "pages' index": (_index, PAGES),
    "pages by message": (_by_notifications, PAGES),
    "calls out": (_out, NAMES),
    "outcomes": (_outcomes, PAGES),
    "audience": (lambda d: _listed(PeopleReader(d).in_slots("demo", (0, 9))), NAMES),
    "segment": (lambda d: _listed(PeopleReader(d).selected("demo", (0, 9), {})), NAMES),
    "changed": (lambda d: _keys(PeopleReader(d).changed_since("demo", NOW)), NAMES),
    "moved": (lambda d: _listed(PeopleReader(d).moved_since("demo", NOW)), NAMES),
    "by login": (lambda d: _keys(PeopleReader(d).by_logins("demo", NAMES)), NAMES),
    "person's browsers": (lambda d: _named(PersonDataReader(d).browsers(PERSON)), NAMES),
    "person's players": (lambda d: _named(PersonDataReader(d).players(PERSON)), NAMES),
    "person's merges": (lambda d: _named(PersonDataReader(d).merges(PERSON)), NAMES),
    "found by email": (
        lambda d: _listed(PersonDataReader(d).search("demo", "email", "e@shop.cz")),
        NAMES,
    ),
    "sends of a campaign": (lambda d: _sends(SendStore(d).of_campaign("demo", "c")), NAMES),
    "open accounts": (lambda d: _sends(SendStore(d).unclosed()), NAMES),
    "sends to roll up": (lambda d: _sends(SendStore(d).due_for_roll_up(NOW, EVER, 100)), NAMES),
    "counts": (_counts, NAMES),
    "newest": (_newest, NAMES),
}


async def _ids_of(found: AsyncIterator[Any]) -> list[str]:
    return [one.id async for one in found]


async def _sends(found: Awaitable[list[SendRow]]) -> list[str]:
    return [send.id for send in await found]


async def _named(found: AsyncIterator[Any]) -> list[str]:
    return _ids(await _all(found))


async def _keys(found: Awaitable[Any]) -> list[str]:
    return list(await found)


async def _listed(found: Awaitable[Any]) -> list[str]:
    return _ids(await found)


@pytest.mark.parametrize("what", READS)
async def test_e1_a_read_beside_writes_is_whole(shifting: Database, what: str) -> None:
    read_them, expected = READS[what]
    assert sorted(await read_them(shifting)) == sorted(expected)


async def test_e1_a_snapshot_beside_writes_is_whole(shifting: Database, tmp_path: Path) -> None:
    writer = Writer(tmp_path, Header("log", {}, 0, NOW, True))
    assert await take._copy(shifting, writer, 0)
    found = [(name, d["_id"]) for name, d in read_documents(writer.path) if name != "erased"]
    filled = [name for name in COPIED if name in planted()]
    assert sorted(found) == sorted((name, one) for name in filled for one in NAMES)


async def test_e1_pages_that_move_in_their_index_are_read_once(database: Database) -> None:
    # The real engine, with a writer beside the read who changes what other indexes are made of.
    await database["pages"].insert_many([planted_page("s", n) for n in range(60)])
    done = asyncio.Event()

    async def write() -> None:
        n = 0
        while not done.is_set():
            change = {"dueAt": NOW + timedelta(hours=n), "open": bool(n % 2)}
            await database["pages"].update_one({"_id": page_id("s", n % 60)}, {"$set": change})
            n += 7

    writing = asyncio.create_task(write())
    try:
        for _ in range(3):
            found = _ids([p async for p in walk(database["pages"], {"app": "demo"}, at_once=4)])
            assert sorted(found) == sorted(page_id("s", n) for n in range(60))
    finally:
        done.set()
        with contextlib.suppress(asyncio.CancelledError):
            await writing
