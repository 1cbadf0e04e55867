"""B1: what a batch costs is bounded, whatever whoever knows a public key has put under logins."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from ingest_service.projector import projector as projecting
from ingest_service.projector.browser import Browser
from ingest_service.projector.orders import MAX_ORDER_LINES
from ingest_service.projector.person_ids import PersonIds
from ingest_service.projector.projector import Projector
from ingest_service.projector.store import MongoProjections
from ingest_service.projector.visitor import Visitor
from ingest_service.projector.visitor_codec import encode_visitor
from shared.models.event import Event
from shared.mongo.client import Database, Document, ensure_indexes, open_database
from shared.mongo.collections import INGEST, PROFILES, VISITORS
from shared.settings import Settings
from tests.support.projector_doubles import APP, START, event, item

LOGINS = 4
BROWSERS = 40
ORDERS = 5
LINES = 190
MIB = 2**20
MOST = 48 * MIB  # as objects all of these browsers are 100 MiB
PEOPLE = PersonIds(b"key")
LATER = 500_000


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    async with open_database(settings.mongo, "test") as opened:
        await ensure_indexes(opened, INGEST)
        yield opened


@pytest.fixture
async def crowds(database: Database) -> Database:
    """Four logins of forty browsers with as much in them as the rules allow."""
    for login in range(LOGINS):
        await database[VISITORS.name].insert_many(
            [_browser(login, number) for number in range(BROWSERS)]
        )
    return database


def _browser(login: int, number: int) -> Document:
    visitor = f"v{login}-{number}"
    browser = Browser(Visitor(PEOPLE.of_browser(APP, visitor), APP, visitor), PEOPLE)
    at = (login * BROWSERS + number) * 10
    browser.apply(event("identify", visitor, at, login=f"login{login}", proven=True))
    for order in range(ORDERS):
        items = [
            {"item": f"{visitor}-{order}-{line}", "quantity": 1, "price": 9.5}
            for line in range(LINES)
        ]
        browser.apply(
            event("purchase", visitor, at + 1 + order, id=f"{visitor}-{order}", items=items)
        )
    browser.visitor.rev = 1
    return dict(encode_visitor(browser.visitor))


async def _peak(database: Database, views: Sequence[Event]) -> int:
    """Return the most memory that a batch of these takes, beyond what was in use before."""
    projector = Projector(MongoProjections(database), PEOPLE, lambda: START)
    batch = [item(view) for view in views]
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        await projector.handle(batch)
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def _view(login: int, browser: int, at: int) -> Event:
    return event("pageview", f"v{login}-{browser}", LATER + at, itemID="hat")


async def test_b1_a_batch_takes_bounded_memory(crowds: Database) -> None:
    few = [_view(login, 0, login) for login in range(LOGINS)]
    assert await _peak(crowds, few) < MOST
    many = [_view(n % LOGINS, n // LOGINS, 1_000 + n) for n in range(LOGINS * BROWSERS)]
    assert await _peak(crowds, many) < MOST
    profiles = [p async for p in crowds[PROFILES.name].find({}) if p["login"]]
    assert len(profiles) == LOGINS
    for profile in profiles:
        assert len(profile["visitors"]) == BROWSERS
        assert profile["viewed"][0]["item"] == "hat"
        assert 0 < sum(len(order["items"]) for order in profile["purchases"]) <= MAX_ORDER_LINES


@pytest.mark.parametrize("bound", [1, 2_000, 2**30])
async def test_b1_portions_end_as_one_batch(
    database: Database, monkeypatch: pytest.MonkeyPatch, bound: int
) -> None:
    """However a batch is cut, each browser's events keep their order and everybody is folded."""
    for name in ("VISITOR_BYTES", "PROFILE_BYTES"):
        monkeypatch.setattr(projecting, name, bound)
    projector = Projector(MongoProjections(database), PEOPLE, lambda: START)
    for n in range(2):
        reported: list[Event] = []
        for visitor in range(12):
            name, at = f"v{visitor}", visitor * 100 + n * 10
            reported += [
                event("pageview", name, at, itemID=f"a{n}"),
                event("identify", name, at + 1, login=f"login{visitor % 3}"),
                event("pageview", name, at + 2, itemID=f"b{n}"),
                event("logout", name, at + 3),
            ]
        await projector.handle([item(one) for one in reported])
    found: dict[str, Any] = {
        p["login"]: p async for p in database[PROFILES.name].find({}) if p["login"]
    }
    assert sorted(found) == ["login0", "login1", "login2"]
    for number in range(3):
        profile = found[f"login{number}"]
        assert sorted(profile["pastVisitors"]) == sorted(f"v{v}" for v in range(number, 12, 3))
        assert {v["item"] for v in profile["viewed"]} == {"a0", "b0", "a1", "b1"}
        assert profile["lastSeenAt"] == START + timedelta(seconds=(9 + number) * 100 + 12)
