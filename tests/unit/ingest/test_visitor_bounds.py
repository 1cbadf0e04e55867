"""Tests of the bounds of a browser's document: whatever it sends, reading it has a bound."""

from __future__ import annotations

import bson

from ingest_service.projector.browser import SEEN_EVENTS
from ingest_service.projector.orders import MAX_ORDER_LINES
from shared.models.event import Event
from tests.support.projector_doubles import ProjectorHarness, event

ORDER = [{"item": f"{n:0150}", "quantity": 1, "price": None} for n in range(190)]  # 32 KiB


async def test_kiosk_stays_bounded() -> None:
    history = ProjectorHarness()
    for number in range(0, 200, 2):
        await history.apply(
            event("identify", "a", number + 1, login=f"guest{number}"),
            event("logout", "a", number + 2),
        )
    (visitor,) = history.store.kept["visitors"].values()
    assert len(visitor["epochs"]) == 32
    assert len(history.profiles()) <= 32


async def test_large_orders_of_many_logins_fit_a_document() -> None:
    # What MongoDB refuses would end the browser's history for good; and an event of a person reads
    # a hundred of them.
    history = ProjectorHarness()
    number = 0
    for login in range(14):
        events = [event("identify", "a", number := number + 1, login=f"guest{login}")]
        for _ in range(50):
            number += 1
            events.append(event("purchase", "a", number, id=str(number), items=ORDER))
        await history.apply(*events)
    (visitor,) = history.store.kept["visitors"].values()
    assert 2 < len(visitor["epochs"]) < 14
    assert len(bson.encode(visitor)) < 1024**2


def _orders(first: int, count: int, lines: int) -> list[Event]:
    items = [{"item": f"i{n}", "quantity": 1, "price": 1} for n in range(lines)]
    return [event("purchase", "a", n, id=str(n), items=items) for n in range(first, first + count)]


async def test_orders_are_kept_as_far_as_their_lines_are_few() -> None:
    history = ProjectorHarness()
    await history.apply(*_orders(0, 60, MAX_ORDER_LINES // 50))
    profile = history.anonymous("a")
    assert profile is not None and len(profile["purchases"]) == 50
    await history.apply(*_orders(100, 1, MAX_ORDER_LINES))
    profile = history.anonymous("a")
    assert profile is not None
    assert [(p["id"], len(p["items"])) for p in profile["purchases"]] == [("100", MAX_ORDER_LINES)]
    await history.apply(*_orders(101, 1, MAX_ORDER_LINES + 1))
    profile = history.anonymous("a")
    assert profile is not None and [p["id"] for p in profile["purchases"]] == ["101"]


async def test_cut_is_remembered_for_longer_than_what_cuts_nothing() -> None:
    # Repeated when a batch's worth of others has come, it must not log her in again.
    history = ProjectorHarness()
    login, out = event("identify", "a", 1, login="eva"), event("logout", "a", 2)
    await history.apply(login, out)
    await history.apply(*(event("pageview", "a", 10 + n) for n in range(SEEN_EVENTS)))
    await history.apply(login)
    assert history.login("eva")["visitors"] == []
    assert len(history.profiles()) == 2
