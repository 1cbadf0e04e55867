"""Events of one visitor and one moment: the later on the log wins, whatever their random ids are."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from ingest_service.projector.decode import Projected, decode
from shared.kafka.records import Record
from shared.kafka.topics import EVENTS_TOPIC
from shared.models.event import Event
from shared.stage.runner import Item
from tests.support.projector_doubles import START, ProjectorHarness, event, one_signal

PLAYER = "a0000000-0000-4000-8000-000000000000"
SHOE = [{"item": "shoe", "quantity": 1, "price": 5}]
IDS = [("a", "b"), ("b", "a")]  # of the first and the second


def sent(kind: str, name: str, received: int = 0, visitor: str = "v", **data: Any) -> Event:
    made = event(kind, visitor, 0, **data)
    return made.model_copy(
        update={"id": name, "received_at": START + timedelta(milliseconds=received)}
    )


def logged(*events: Event) -> list[Item[Projected]]:
    """Return them as the projector reads them, one behind the other."""
    found = []
    for offset, one in enumerate(events):
        record = Record(EVENTS_TOPIC.name, 0, offset, one.key.encode(), one.dump(), one.type, 0)
        value = decode(record)
        assert value is not None
        found.append(Item(record, value))
    return found


def projected(*batches: list[Item[Projected]]) -> ProjectorHarness:
    harness = ProjectorHarness()

    async def run() -> None:
        for batch in batches:
            await harness.projector.handle(batch)

    asyncio.run(run())
    return harness


def profile_of(*events: Event) -> dict[str, Any]:
    """Return the profile of visitor `v`: the same in one batch, in two, and with all of it repeated."""
    items = logged(*events)
    wholes = [
        projected(items), projected(items[:1], items[1:]), projected(items, items),
        projected(items[:1], items, items[:1]),
    ]  # fmt: skip
    found = [whole.profiles() for whole in wholes]
    assert all(one == found[0] for one in found)
    profile = wholes[0].anonymous("v")
    assert profile is not None
    return profile


@pytest.mark.parametrize(("first", "second"), IDS)
@pytest.mark.parametrize("later", [0, 1])
def test_f2_later_basket_wins(first: str, second: str, later: int) -> None:
    full: dict[str, Any] = {"basketItems": SHOE}
    empty: dict[str, Any] = {"basketItems": []}
    for then, now, lines in ((full, empty, 0), (empty, full, 1)):
        profile = profile_of(
            sent("pageview", first, 0, **then), sent("pageview", second, later, **now)
        )
        assert len(profile["basket"]["items"]) == lines


@pytest.mark.parametrize(("first", "second"), IDS)
def test_f2_changes_follow_what_stood_before(first: str, second: str) -> None:
    add = sent("addToBasket", first, itemID="shoe", quantity=1, price=5)
    remove = sent("removeFromBasket", second, itemID="shoe")
    assert profile_of(add, remove)["basket"]["items"] == []
    whole = sent("pageview", first, basketItems=[])
    add = sent("addToBasket", second, itemID="shoe", quantity=1, price=5)
    assert len(profile_of(whole, add)["basket"]["items"]) == 1
    assert profile_of(add, whole)["basket"]["items"] == []


@pytest.mark.parametrize(("first", "second"), IDS)
def test_f2_later_receipt_wins_before_later_offset(first: str, second: str) -> None:
    """Spooled requests come onto the log behind those that were received after them."""
    direct = sent("pageview", first, 7, basketItems=[])
    spooled = sent("pageview", second, 3, basketItems=SHOE)
    assert profile_of(direct, spooled)["basket"]["items"] == []


@pytest.mark.parametrize(("first", "second"), IDS)
def test_f2_later_status_of_one_player_wins(first: str, second: str) -> None:
    for then, now in (("subscribed", "optedOut"), ("optedOut", "subscribed")):
        words = [one_signal("v", 0, PLAYER, then), one_signal("v", 0, PLAYER, now)]
        named = [
            w.model_copy(update={"id": n}) for w, n in zip(words, (first, second), strict=True)
        ]
        ledger = projected(logged(*named)).player(PLAYER)
        assert ledger["status"]["status"] == now
        assert [word["event"] for word in ledger["history"]] == [first, second]


def test_f2_two_visitors_of_one_person_end_equal_in_any_order() -> None:
    logins = [sent("identify", f"i{v}", visitor=v, login="eva") for v in "vw"]
    baskets = [sent("pageview", v, visitor=v, basketItems=SHOE if v == "v" else []) for v in "vw"]
    items = logged(*logins, *baskets)
    one = projected(items).profiles()
    for batches in ([items[:3], items[3:]], [items[0:1], items[2:3], items[1:2], items[3:]],
                    [items[1:2], items[3:], items[0:1], items[2:3]]):  # fmt: skip
        assert projected(*batches).profiles() == one
