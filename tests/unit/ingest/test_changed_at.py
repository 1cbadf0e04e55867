"""`changedAt` moves with what a release reads of profiles that changed since planning, and only then."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from ingest_service.projector.person_ids import PersonIds
from ingest_service.projector.projector import Projector
from shared.models.event import Event
from tests.support.histories import at, name_basket
from tests.support.projector_doubles import MemoryProjections, event, item, one_signal

PLAYER = "11111111-1111-4111-8111-111111111111"
KNOWN = [
    one_signal("a", 0, PLAYER), event("purchase", "a", 1, id="o1", items=[], revenue=9.0),
    event("pageview", "a", 2, basketItems=[{"item": "shoe", "quantity": 1, "price": 9}]),
]  # fmt: skip


async def changed_at(*events: Event) -> datetime:
    """Project the known events, and these 100 s later; return the profile's `changedAt`."""
    store, now = MemoryProjections(), [at(10)]
    projector = Projector(store, PersonIds(b"key"), lambda: now[0])
    await projector.handle([item(one) for one in KNOWN])
    now[0] = at(110)
    await projector.handle([item(one) for one in events])
    (profile,) = store.kept["profiles"].values()
    found: datetime = profile["changedAt"]
    return found


@pytest.mark.parametrize(
    "moving",
    [
        name_basket("a", 20),
        name_basket("a", 20, shoe=2),
        name_basket("a", 20, shoe=1, hat=1),
        event("addToBasket", "a", 20, itemID="hat"),
        event("removeFromBasket", "a", 20, itemID="shoe"),
        event("pageview", "a", 20, basketItems=[{"item": "shoe", "quantity": 1, "price": 8}]),
        event("purchase", "a", 20, id="o2", items=[]),
        event("purchase", "a", 20, id="o1", items=[], revenue=8.0),
        one_signal("a", 20, PLAYER, "optedOut"),
    ],
)
async def test_what_a_release_reads_moves_it(moving: Event) -> None:
    assert await changed_at(moving) == at(110)


@pytest.mark.parametrize(
    "data",
    [
        {"basketItems": [{"item": "shoe", "quantity": 1, "price": 9}]},
        {"itemID": "hat", "categoryID": "hats"},
        {},
    ],
)
async def test_page_that_changes_none_of_it_doesnt(data: dict[str, Any]) -> None:
    # Most events are these: each would be one more entry of the index, and one more profile to look at.
    assert await changed_at(event("pageview", "a", 20, **data)) == at(10)
