"""A bad optional field costs itself: it is left out and named, and the event goes on."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import httpx
import pytest

from ingest_service.collect.event_validator import EventValidator, RequestContext
from shared.errors import InvalidPayload
from tests.contract.ingest.requests import EVENTS_URL, PLAYER
from tests.support.ingest_api import NOW, VAULT, Api, app

Data = dict[str, Any]
SLOWER = 1.4  # times a good one, on a machine that does other things; 9afda51: 1.8


async def post(client: httpx.AsyncClient, kind: str, data: Data, **more: Any) -> httpx.Response:
    event = {"type": kind, "visitorId": "v", "data": data, **more}
    return await client.post(EVENTS_URL, json=[event])


@pytest.mark.parametrize(
    ("kind", "data", "kept", "left_out"),
    [
        ("purchase", {"id": "1", "currency": "crowns", "revenue": "free"}, {"id": "1", "items": []},
         ["data.revenue", "data.currency"]),
        ("purchase", {"items": [{"item": 1, "price": "?", "quantity": {}}, {"item": "2", "price": 5}]},
         {"items": [{"item": "1", "quantity": 1}, {"item": "2", "quantity": 1, "price": 5}]},
         ["data.items.0.quantity", "data.items.0.price"]),
        ("purchase", {"items": [{"item": "ok"}, {}, 7, {"item": None}]},
         {"items": [{"item": "ok", "quantity": 1}]},
         ["data.items.1.item", "data.items.2", "data.items.3.item"]),
        ("purchase", {"id": "1", "items": "many"}, {"id": "1", "items": []}, ["data.items"]),
        ("purchase", {"basketItems": 7, "transaction": {"id": 7, "tax": "x"}}, {"id": "7", "items": []},
         ["data.items", "data.tax"]),
        ("pageview", {"transaction": {"id": {}, "revenue": 5}, "basketItems": [{"item": 1}]},
         {"basketItems": [{"item": "1", "quantity": 1}], "transaction": {"revenue": 5}},
         ["data.transaction.id"]),
        ("pageview", {"basketItems": [{}, {"quantity": 1}], "itemID": "1"}, {"itemID": "1"},
         ["data.basketItems.0.item", "data.basketItems.1.item", "data.basketItems"]),
        ("pageview", {"itemID": {}, "categoryID": True, "pageType": 1, "currency": "CZK"},
         {"currency": "CZK"}, ["data.pageType", "data.itemID", "data.categoryID"]),
        ("addToBasket", {"itemID": "1", "price": -1, "quantity": True}, {"itemID": "1"},
         ["data.quantity", "data.price"]),
        ("oneSignal", {"playerID": PLAYER, "status": 1, "permission": "yes"},
         {"playerID": PLAYER.lower(), "status": "subscribed", "state": "subscribed"}, ["data.permission"]),
    ],
)  # fmt: skip
async def test_f00_a_bad_optional_field_costs_itself(
    client: httpx.AsyncClient, api: Api, kind: str, data: Data, kept: Data, left_out: list[str]
) -> None:
    answer = await post(client, kind, data)
    assert (answer.status_code, answer.json()["rejected"]) == (202, [])
    warnings = answer.json()["warnings"]
    assert [one["field"] for one in warnings] == left_out
    assert all(set(one) == {"index", "field", "code", "message"} for one in warnings)
    assert api.log.events[0].data == kept


async def test_f00_page_context_and_time_cost_themselves(
    client: httpx.AsyncClient, api: Api
) -> None:
    page = {"url": "https://shop.example.test/", "title": 7}
    answer = await post(client, "x", {}, page=page, context="cs", occurredAt="soon")
    assert [one["field"] for one in answer.json()["warnings"]] == [
        "occurredAt", "page.title", "context",
    ]  # fmt: skip
    event = api.log.events[0]
    assert (event.page, event.context) == ({"url": page["url"]}, None)
    assert event.occurred_at == NOW


@pytest.mark.parametrize(
    ("kind", "data", "more", "field"),
    [
        ("x", {}, {"id": "7"}, "events.0.id"),  # under another id a repetition would count
        ("x", "text", {}, "events.0.data"),
        ("identify", {"login": {}, "email": "eva@example.test"}, {}, "events.0.data.login"),
        ("identify", {"email": "nobody"}, {}, "events.0.data.email"),
        ("oneSignal", {"playerID": PLAYER, "status": "?"}, {}, "events.0.data.status"),
        ("addToBasket", {"itemID": {}, "price": 1}, {}, "events.0.data.itemID"),
    ],
)
async def test_f00_what_is_needed_is_refused_as_ever(
    client: httpx.AsyncClient, kind: str, data: Any, more: Data, field: str
) -> None:
    answer = await post(client, kind, data, **more)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_f00_warnings_are_bounded(client: httpx.AsyncClient) -> None:
    event = {"type": "purchase", "visitorId": "v", "data": {"items": [{"item": 1}, *[{}] * 150]}}
    answer = await client.post(EVENTS_URL, json=[event] * 50)
    body = answer.json()
    assert (body["accepted"], len(body["warnings"]), body["warningsMore"]) == (50, 100, 150)
    assert [one["index"] for one in body["warnings"][:6]] == [0] * 5 + [1]


async def test_f00_lines_beyond_the_limit_are_left_out(client: httpx.AsyncClient, api: Api) -> None:
    answer = await post(client, "purchase", {"items": [{"item": n} for n in range(300)]})
    assert [one["code"] for one in answer.json()["warnings"]] == ["too_many_lines"]
    assert len(api.log.events[0].data["items"]) == 200


def cost(events: list[Data]) -> float:
    """Return the least of some runs, in seconds."""
    arrival = RequestContext(app("open"), "browser", NOW, timedelta(0), 10**6, 1000, False)
    validator, runs = EventValidator.of(VAULT), []
    for _ in range(7):
        began = time.process_time()
        for event in events:
            try:
                validator.validate(event, arrival)
            except InvalidPayload:
                continue
        runs.append(time.process_time() - began)
    return min(runs)


@pytest.mark.parametrize(
    "bad",
    [
        {"items": [{"item": 1}] * 149 + [{"item": {}}]},
        {"items": [{"item": 1}] * 149 + [{"item": 1, "price": "x"}]},
        {"items": [{}] * 150},
        {"items": [{"item": ""}] * 150},
        {"items": [{"item": 1}] * 150, "currency": "x", "id": {}, "revenue": "", "tax": "x"},
    ],
)
def test_b2_a_bad_purchase_costs_no_more_than_a_good_one(bad: Data) -> None:
    good = {"items": [{"item": 1}] * 150}
    events = [[{"type": "purchase", "visitorId": "v", "data": data}] * 100 for data in (good, bad)]
    # Three times at most: what is dearer is so each time, a busy machine is not.
    assert any(cost(events[1]) < SLOWER * cost(events[0]) for _ in range(3))
