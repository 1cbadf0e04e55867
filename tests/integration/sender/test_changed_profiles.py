"""Profiles that changed since planning, as the projector writes them and a release reads them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ingest_service.projector.person_ids import PersonIds
from ingest_service.projector.projector import Projector
from ingest_service.projector.store import MongoProjections
from sender_service.store.people import PeopleReader
from shared.models.event import Event
from shared.mongo.client import ensure_indexes, open_database
from shared.mongo.collections import INGEST
from shared.settings import Settings
from tests.support.histories import at, name_basket
from tests.support.projector_doubles import APP, event, item, one_signal

SHOPPERS = ("emptied", "filled", "bought", "unsubscribed", "looked")


async def test_baskets_changed_since_planning_are_seen(settings: Settings) -> None:
    """Empty a basket between the planning of its reminder and the release."""
    async with open_database(settings.mongo, "test") as database:
        await ensure_indexes(database, INGEST)
        now = [at(100)]
        projector = Projector(MongoProjections(database), PersonIds(b"key"), lambda: now[0])

        async def project(events: Sequence[Event], moment: datetime) -> None:
            now[0] = moment
            await projector.handle([item(one) for one in events])

        known = [one_signal(v, 1, _player(v)) for v in SHOPPERS]
        await project([*known, *(name_basket(v, 2, shoe=1) for v in SHOPPERS)], at(100))
        meanwhile = [
            name_basket("emptied", 20),
            event("addToBasket", "filled", 20, itemID="hat"),
            event("purchase", "bought", 20, id="o1", items=[]),
            one_signal("unsubscribed", 20, _player("unsubscribed"), "optedOut"),
            event(
                "pageview",
                "looked",
                20,
                itemID="hat",
                basketItems=[{"item": "shoe", "quantity": 1}],
            ),
        ]
        await project(meanwhile, at(200))
        changed = await PeopleReader(database).profiles_since(APP, at(150))
        assert changed is not None
        found = {visitor for profile in changed.values() for visitor in profile["visitors"]}
        assert found == set(SHOPPERS) - {"looked"}
        baskets = {p["visitors"][0]: len(p["basket"]["items"]) for p in changed.values()}
        assert baskets == {"emptied": 0, "filled": 2, "bought": 0, "unsubscribed": 1}


def _player(visitor: str) -> str:
    return f"{SHOPPERS.index(visitor)}1111111-1111-4111-8111-111111111111"
