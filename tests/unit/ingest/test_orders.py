"""An order has its earliest time and its latest values, whoever reports it, and empties a basket once."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_service.projector import orders
from ingest_service.projector.orders import earliest_order, newest_orders, order_of
from sender_service.models.policy import has_bought
from shared.documents.visitor import PurchaseEntry
from shared.models.event import Event
from tests.support.histories import RELAXED, at, logs, name_basket, replay_batches
from tests.support.projector_doubles import ProjectorHarness, event

SHOE = [{"item": "shoe", "quantity": 1, "price": 9}]


def reopened(visitor: str, number: int, order: str = "o1") -> Event:
    """Return the page of an order, as shops without the snippet report it."""
    data: dict[str, Any] = {"transaction": {"id": order, "revenue": 9.0}, "basketItems": SHOE}
    return event("pageview", visitor, number, currency="EUR", **data)


async def profile_of(*events: Event, login: str | None = None) -> Any:
    history = ProjectorHarness()
    for one in events:
        await history.apply(one)
    return history.anonymous("a") if login is None else history.login(login)


async def test_reopened_page_leaves_the_basket_filled_since() -> None:
    """Open the thank-you page again from the mail, after she has gone on shopping."""
    bought = event("purchase", "a", 2, id="o1", items=SHOE, revenue=9.0, currency="EUR")
    since = event("addToBasket", "a", 3, itemID="hat", quantity=1, price=5)
    profile = await profile_of(name_basket("a", 1, shoe=1), bought, since, reopened("a", 9))
    assert [line["item"] for line in profile["basket"]["items"]] == ["hat"]
    assert profile["basket"]["since"] == profile["basket"]["at"] == at(3)
    assert profile["purchases"] == [
        {"id": "o1", "items": SHOE, "revenue": 9.0, "currency": "EUR", "at": at(2)}
    ]


async def test_reopened_page_of_an_old_order_is_no_purchase_since() -> None:
    bought = event("purchase", "a", 2, id="o1", items=SHOE)
    profile = await profile_of(bought, reopened("a", 9))
    assert has_bought(profile, at(2)) and not has_bought(profile, at(3))


async def test_page_and_server_report_one_order() -> None:
    """Report an order by a server too, under a visitor of its own, with more or less than the page."""
    logins = [event("identify", visitor, 0, login="eva") for visitor in ("page", "server")]
    basket = name_basket("page", 1, shoe=1)
    server = event("purchase", "server", 2, id="o1", items=SHOE, revenue=9.5, currency="CZK")
    page, hat = reopened("page", 3), event("addToBasket", "page", 4, itemID="hat")
    again = reopened("page", 5)
    for order in permutations([server, hat, again]):
        profile = await profile_of(*logins, basket, page, *order, login="eva")
        assert [(o["id"], o["at"]) for o in profile["purchases"]] == [("o1", at(2))]
        assert [line["item"] for line in profile["basket"]["items"]] == ["hat"]
        assert (profile["purchases"][0]["revenue"], profile["purchases"][0]["currency"]) == (
            9,
            "EUR",
        )
    last = event("purchase", "server", 8, id="o1", items=[], revenue=9.5, currency="CZK")
    profile = await profile_of(*logins, basket, page, hat, last, login="eva")
    assert profile["purchases"] == [
        {"id": "o1", "items": [], "revenue": 9.5, "currency": "CZK", "at": at(3)}
    ]
    assert [line["item"] for line in profile["basket"]["items"]] == ["hat"]


async def test_orders_without_an_id_are_different_ones() -> None:
    profile = await profile_of(*(event("purchase", "a", n, items=SHOE) for n in (1, 2)))
    assert [order["at"] for order in profile["purchases"]] == [at(2), at(1)]


async def test_newest_order_is_the_one_that_began_last() -> None:
    events = [event("purchase", "a", n, id=f"o{n}", items=[]) for n in (1, 2)]
    profile = await profile_of(*events, reopened("a", 9))
    assert [order["id"] for order in profile["purchases"]] == ["o2", "o1"]


ENTRIES = st.builds(
    lambda number, received, revenue: order_of(
        event("purchase", "a", number).model_copy(
            update={"id": f"{number} {received} {revenue}", "received_at": at(received)}
        ),
        {"id": "o1", "revenue": revenue}, [], None,
    ),
    st.integers(0, 3), st.integers(0, 2), st.integers(0, 2),
)  # fmt: skip


@given(entries=st.lists(ENTRIES, min_size=1, max_size=4), data=st.data())
def test_order_of_several_entries_is_the_same_in_any_order(
    entries: list[PurchaseEntry], data: st.DataObject
) -> None:
    (whole,) = newest_orders(entries)
    shuffled = data.draw(st.permutations(entries))
    assert newest_orders([*shuffled, *shuffled]) == [whole]
    folded = shuffled[0]
    for entry in shuffled[1:]:
        folded = earliest_order(entry, folded)
    assert folded == whole
    assert whole["at"] == min(entry["at"] for entry in entries)
    assert (whole["last"] or whole)["at"] == max(entry["at"] for entry in entries)


@RELAXED
@given(data=st.data(), most=st.sampled_from([1, 2]))
def test_bounded_orders_of_several_browsers_end_equal(data: st.DataObject, most: int) -> None:
    """Keep the same orders whatever came when, as if she had fifty more."""
    history = {}
    for index, visitor in enumerate("abc"):
        ids = data.draw(st.lists(st.sampled_from(["o1", "o2", "o3"]), max_size=4))
        times = data.draw(st.permutations(range(len(ids))))
        bought = [
            event("purchase", visitor, 10 * time + index + 1, id=order, items=SHOE)
            for order, time in zip(ids, times, strict=True)
        ]
        history[visitor] = [event("identify", visitor, 0, login="eva"), *bought]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(orders, "MAX_ORDERS", most)
        first, second = (replay_batches(data.draw(logs(history))) for _ in range(2))
    assert first.profiles() == second.profiles()


def test_which_orders_are_kept_doesnt_depend_on_the_browser_that_came_last() -> None:
    """Learn an earlier time of the kept order: the dropped one might have stayed."""
    bought = [("a", 11, "o1"), ("b", 6, "o2"), ("c", 2, "o1")]
    logins = [event("identify", visitor, 0, login="eva") for visitor, _, _ in bought]
    events = [event("purchase", who, number, id=order, items=SHOE) for who, number, order in bought]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(orders, "MAX_ORDERS", 1)
        found = [
            replay_batches([logins, *([one] for one in order)]).login("eva")["purchases"]
            for order in permutations(events)
        ]
    assert found == [found[0]] * len(found)


async def test_time_is_the_earliest_whatever_comes_first() -> None:
    events = [event("purchase", "a", n, id="o1", items=[], revenue=n) for n in (5, 1, 3)]
    for order in permutations(events):
        profile = await profile_of(*order)
        (bought,) = profile["purchases"]
        assert (bought["at"], bought["revenue"]) == (at(1), 5)
        assert profile["basket"]["at"] == at(1)
    late = events[0].model_copy(update={"received_at": at(5) + timedelta(days=1)})
    assert (await profile_of(*events[1:], late))["purchases"][0]["at"] == at(1)
