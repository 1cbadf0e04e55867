"""A basket out of whole states and changes, in any order."""

from __future__ import annotations

from itertools import permutations
from typing import Any, Literal

import bson
import pytest

from ingest_service.collect.event_schemas import BasketChange
from ingest_service.projector.basket import fold_basket
from ingest_service.projector.contribution import contribute, union
from shared.documents.profile import Basket
from shared.documents.visitor import Contribution
from shared.models.event import Event
from tests.support.projector_doubles import START, event


def basket(*events: Event) -> Basket:
    part: Contribution = {}
    for one in events:
        contribute(part, one)
    return fold_basket(part)


def test_changes_add_up_in_any_order() -> None:
    events = [
        event("pageview", "a", 1, basketItems=[{"item": "hat", "quantity": 1, "price": 10}]),
        event("addToBasket", "a", 2, itemID="shoe", quantity=2, price=50),
        event("addToBasket", "a", 3, itemID="hat"),
        event("removeFromBasket", "a", 4, itemID="shoe", quantity=1),
    ]
    found = [basket(*order) for order in permutations(events)]
    assert all(one == found[0] for one in found)
    assert found[0]["items"] == [
        {"item": "hat", "quantity": 2, "price": 10},
        {"item": "shoe", "quantity": 1, "price": 50},
    ]
    assert found[0]["total"] == 70


def test_repetition_adds_nothing() -> None:
    added = event("addToBasket", "a", 1, itemID="shoe", quantity=2, price=50)
    assert basket(added, added) == basket(added)


def test_purchase_empties() -> None:
    added = event("addToBasket", "a", 1, itemID="shoe", price=50)
    bought = event("purchase", "a", 2, id="o1", items=[])
    assert basket(added, bought)["items"] == []
    assert basket(added, bought, event("addToBasket", "a", 3, itemID="hat"))["items"] == [
        {"item": "hat", "quantity": 1, "price": None}
    ]


def test_total_of_the_page_is_believed_until_a_change() -> None:
    items = [{"item": "hat", "quantity": 1, "price": 10}]
    page = event("pageview", "a", 1, basketItems=items, basketTotal=9, currency="CZK")
    assert (basket(page)["total"], basket(page)["currency"]) == (9, "CZK")
    assert basket(page, event("addToBasket", "a", 2, itemID="hat"))["total"] == 20


def lines(*items: tuple[int, float | None], item: str = "shoe") -> Basket:
    found = [{"item": item, "quantity": q, "price": p} for q, p in items]
    return basket(event("pageview", "a", 1, basketItems=found))


def test_f10_lines_of_one_item_are_one() -> None:
    """Two sizes of a shoe; the second was all that there was."""
    found = lines((1, 5), (2, 7))
    assert found["items"] == [{"item": "shoe", "quantity": 3, "price": 7}]
    assert found["total"] == 19
    assert lines((1, 5), (2, 5))["total"] == 15
    assert lines((1, None), (2, 5))["total"] is None
    assert lines((1, 5), (2, None))["total"] is None


def test_f10_no_quantity_is_no_line() -> None:
    assert lines((0, 5))["items"] == []
    assert lines((0, 5))["total"] == 0
    assert lines((0, None), (2, 5))["items"] == [{"item": "shoe", "quantity": 2, "price": 5}]


def test_f10_a_change_goes_on_from_the_sum() -> None:
    items = [{"item": "shoe", "quantity": q, "price": p} for q, p in ((1, 5), (2, 7))]
    page = event("pageview", "a", 1, basketItems=items)
    more = basket(page, event("addToBasket", "a", 2, itemID="hat", price=1))
    assert more["total"] == 20
    priced = basket(page, event("addToBasket", "a", 2, itemID="shoe", price=6))
    assert priced["total"] == 24
    assert basket(page, event("removeFromBasket", "a", 2, itemID="shoe"))["items"] == []


def test_unknown_price_has_no_total() -> None:
    assert basket(event("addToBasket", "a", 1, itemID="hat"))["total"] is None


def test_thank_you_page_is_a_purchase() -> None:
    part: Contribution = {}
    page = event(
        "pageview", "a", 1, transaction={"id": "o1", "revenue": 5},
        basketItems=[{"item": "hat", "quantity": 1}],
    )  # fmt: skip
    contribute(part, page)
    contribute(part, event("purchase", "a", 2, id="o1", items=[], revenue=5))
    assert [bought["id"] for bought in union([part, part])["purchases"]] == ["o1"]
    assert part["lastSeenAt"] > START


def test_sets_are_bounded_to_the_newest() -> None:
    part: Contribution = {}
    for number in range(120):
        contribute(part, event("pageview", "a", number, itemID=f"i{number}"))
    assert [v["item"] for v in part["viewed"]] == [f"i{n}" for n in range(119, 69, -1)]


@pytest.mark.parametrize(
    ("page", "category"),
    [
        ({"categoryID": "c", "hierarchyID": ["a", "b"]}, "c"),
        ({"hierarchyID": ["a", "b"]}, "b"),  # the deepest is the page's own
        ({"hierarchy": ["Sound", "Bells"], "category": "Bells"}, None),  # names are no ids
        ({}, None),
    ],
)
def test_category_of_a_page_is_kept(page: dict[str, Any], category: str | None) -> None:
    part: Contribution = {}
    contribute(part, event("pageview", "a", 1, itemID="i", **page))
    assert [view["category"] for view in part["viewed"]] == [category]
    assert [one["id"] for one in part.get("categories", [])] == ([category] if category else [])


@pytest.mark.parametrize("amount", [10**12, 1e12, 999_999_999_999, 0.0001])
def test_whatever_is_accepted_can_be_stored(amount: float) -> None:
    # A total that BSON can't hold would make the person's every later event fail.
    accepted = BasketChange.model_validate({"itemID": "1", "quantity": amount, "price": amount})
    data = accepted.model_dump(by_alias=True, exclude_none=True)
    found = basket(*(event("addToBasket", "a", n, **data) for n in range(100)))
    total = bson.decode(bson.encode(found))["total"]
    assert total == found["total"] == pytest.approx(100 * amount * amount, abs=1e-4)


@pytest.mark.parametrize(
    ("name", "good", "bad", "kept"),
    [
        ("timeZone", "Europe/Prague", "Etc/Unknown", "Europe/Prague"),
        ("timeZone", "europe/prague", "Mars/Base", "Europe/Prague"),
        ("timeZone", "Asia/Calcutta", "undefined", "Asia/Calcutta"),
        ("language", "cs-CZ", "C", "cs-CZ"),
        ("language", "zh_Hant", "*", "zh_Hant"),
        ("language", "en", "und", "en"),
        ("language", "en", "[object Object]", "en"),
        ("browser", "chrome", "", "chrome"),
    ],
)
def test_f06_empty_values_replace_nothing(
    name: Literal["timeZone", "language", "browser"], good: str, bad: str, kept: str
) -> None:
    part: Contribution = {}
    for minute, value in ((1, bad), (2, good), (3, bad)):
        viewed = event("pageview", "a", minute).model_copy(update={"context": {name: value}})
        contribute(part, viewed)
    assert part[name]["value"] == kept


def test_f06_of_nothing_known_nothing_is_kept() -> None:
    part: Contribution = {}
    context = {"timeZone": "Etc/Unknown", "language": "C"}
    contribute(part, event("pageview", "a", 1).model_copy(update={"context": context}))
    assert "timeZone" not in part and "language" not in part
