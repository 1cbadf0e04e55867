"""Keys and types that nothing reads are named in the answer, with the name that was meant."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from ingest_service.collect.event_schemas import Pageview
from ingest_service.collect.unknown_keys import MOST_HINTS, names_of
from tests.contract.ingest.requests import EVENTS_URL, PLAYER
from tests.support.ingest_api import Api

Data = dict[str, Any]
MOST_SECONDS = 2.0  # for a request of the worst: 0.2 s; with a hint for each key 2 to 4 s


async def post(client: httpx.AsyncClient, event: Data) -> httpx.Response:
    return await client.post(EVENTS_URL, json=[{"visitorId": "v", **event}])


@pytest.mark.parametrize(
    ("event", "field", "meant"),
    [
        ({"type": "pageview", "data": {"itemId": "1"}}, "data.itemId", "itemID"),
        ({"type": "pageview", "data": {"category_id": "1"}}, "data.category_id", "categoryID"),
        ({"type": "pageview", "data": {"transaction": {"ID": 1, "revenue": 2}}},
         "data.transaction.ID", "id"),
        ({"type": "purchase", "data": {"id": "1", "revenu": 5}}, "data.revenu", "revenue"),
        ({"type": "purchase", "data": {"transaction": {"id": "1", "Tax": 5}}},
         "data.transaction.Tax", "tax"),
        ({"type": "purchase", "data": {"id": "1", "items": [{"item": 1, "Price": 5}] * 3}},
         "data.items.0.Price", "price"),
        ({"type": "pageview", "data": {"basketItems": {"1": {"qantity": 5}}}},
         "data.basketItems.0.qantity", "quantity"),
        ({"type": "identify", "data": {"email": "a@b.cz", "loginhash": "x"}},
         "data.loginhash", "loginHash"),
        ({"type": "oneSignal", "data": {"playerID": PLAYER, "status": 1, "permision": "granted"}},
         "data.permision", "permission"),
        ({"type": "x", "page": {"URL": "https://shop.example/"}}, "page.URL", "url"),
        ({"type": "x", "context": {"timezone": "UTC"}}, "context.timezone", "timeZone"),
        ({"type": "x", "occuredAt": "2026-11-20T13:00:00Z"}, "occuredAt", "occurredAt"),
        ({"type": "x", "Data": {"a": 1}}, "Data", "data"),
        ({"type": "pageview", "wholly": 1}, "wholly", None),
    ],
)  # fmt: skip
async def test_n8_an_unknown_key_is_named(
    client: httpx.AsyncClient, api: Api, event: Data, field: str, meant: str | None
) -> None:
    answer = await post(client, event)
    assert answer.status_code == 202
    hint = f"; did you mean `{meant}`?" if meant else ""
    message = f"is unknown and left out{hint}"
    warning = {"index": 0, "field": field, "code": "unknown_key", "message": message}
    assert answer.json()["warnings"] == [warning]


@pytest.mark.parametrize(
    "event",
    [
        {"type": "my.own", "data": {"whatever": {"itemId": 1}}},
        {"type": "purchase", "data": {"transaction": {"id": 1, "items": [{"itemID": 1}]}}},
        {"type": "purchase", "data": {"id": 1, "basketItems": {"1": {"quantity": 1, "price": 1}}}},
        {"type": "identify", "data": {"login": "eva", "loginHash": None, "email": None}},
        {"type": "pageview", "page": None, "context": {}, "nothing": None, "data": []},
        {"type": "oneSignal", "data": {"playerID": PLAYER, "status": -2, "permission": "denied"}},
        {"type": "logout"},
    ],
)
async def test_n8_what_is_read_is_not_warned_of(client: httpx.AsyncClient, event: Data) -> None:
    answer = await client.post("/v1/events?key=sk_open", json=[{"visitorId": "v", **event}])
    assert answer.json() == {"accepted": 1, "rejected": []}


@pytest.mark.parametrize(
    ("event", "field", "message"),
    [
        ({"type": "x", "visitorID": "v"}, "visitorId", "`visitorID` is unknown, did you mean `visitorId`?"),
        ({"type": "x", "visitor_id": "v"}, "visitorId", "did you mean `visitorId`?"),
        ({"Type": "x", "visitorId": "v"}, "type", "did you mean `type`?"),
        ({"type": "addToBasket", "visitorId": "v", "data": {"itemId": "1"}},
         "data.itemID", "`itemId` is unknown, did you mean `itemID`?"),
        ({"type": "oneSignal", "visitorId": "v", "data": {"playerId": PLAYER, "status": 1}},
         "data.playerID", "did you mean `playerID`?"),
        ({"type": "add to basket", "visitorId": "v"}, "type", "did you mean `addToBasket`?"),
    ],
)  # fmt: skip
async def test_n8_a_refusal_names_the_key_that_was_meant(
    client: httpx.AsyncClient, event: Data, field: str, message: str
) -> None:
    answer = await client.post(EVENTS_URL, json=[event])
    assert answer.status_code == 422
    error = answer.json()["errors"][0]
    assert error["field"] == f"events.0.{field}"
    assert message in error["message"] and message in answer.json()["message"]


@pytest.mark.parametrize(
    ("kind", "meant"),
    [
        ("addtobasket", "addToBasket"), ("add_to_basket", "addToBasket"), ("pageView", "pageview"),
        ("page-view", "pageview"), ("purchse", "purchase"), ("onesignal", "oneSignal"),
        ("log_out", "logout"), ("addToWishlist", None), ("removeFromWishlist", None),
        ("sizeGuideOpened", None), ("search", None), ("login", None),
    ],
)  # fmt: skip
async def test_n8_a_type_that_is_a_slip_is_accepted_with_a_warning(
    client: httpx.AsyncClient, api: Api, kind: str, meant: str | None
) -> None:
    answer = await post(client, {"type": kind})
    assert answer.status_code == 202
    assert api.log.events[0].type == kind
    found = [
        (one["field"], one["code"], one["message"]) for one in answer.json().get("warnings", [])
    ]
    message = f"is taken as a type of your own; did you mean `{meant}`?"
    assert found == ([("type", "unknown_type", message)] if meant else [])


async def test_n8_a_key_beside_the_events_is_named(client: httpx.AsyncClient) -> None:
    body = {"sentat": "2026-11-20T13:00:00Z", "events": [{}, {"type": "x", "visitorId": "v"}]}
    answer = await client.post(EVENTS_URL, json=body)
    assert answer.json()["warnings"] == [
        {
            "index": 1,
            "field": "sentat",
            "code": "unknown_key",
            "message": "is unknown and left out; did you mean `sentAt`?",
        }
    ]


async def test_n8_unknown_keys_cost_a_request_little(client: httpx.AsyncClient) -> None:
    """500 events with keys that are near to all known ones, each another."""
    keys = [name[:-1] + f"{n:x}" for name in names_of_pageview() for n in range(16)]
    events = [
        {"type": "pageview", "visitorId": "v", "data": dict.fromkeys(keys[n % 90 :], 1)}
        for n in range(40)
    ] + [{"type": f"purchas{n:02x}", "visitorId": "v"} for n in range(460)]
    began = time.process_time()
    answer = await client.post(EVENTS_URL, json=events)
    assert time.process_time() - began < MOST_SECONDS
    warnings = answer.json()["warnings"]
    assert len(warnings) == 100
    assert 0 < sum("did you mean" in one["message"] for one in warnings) <= MOST_HINTS * 40


def names_of_pageview() -> list[str]:
    return sorted(names_of(Pageview))
