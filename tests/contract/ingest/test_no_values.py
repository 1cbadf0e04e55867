"""Texts that scripts and templates write where they have no value cost themselves, as ids and elsewhere."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.odd_values.names import NO_VALUES
from tests.odd_values.times import NO_EPOCHS
from tests.support.ingest_api import Api

URL = "/v1/events?key=sk_open"
Data = dict[str, Any]


async def post(client: httpx.AsyncClient, kind: str, data: Data, **more: Any) -> httpx.Response:
    return await client.post(URL, json=[{"type": kind, "visitorId": "v", "data": data, **more}])


@pytest.mark.parametrize(
    ("kind", "data", "kept", "left_out"),
    [
        ("pageview", {"itemID": "undefined", "categoryID": "NaN", "pageType": "detail"},
         {"pageType": "detail"}, ["data.itemID", "data.categoryID"]),
        ("pageview", {"category": "null", "hierarchy": ["a", "undefined", "b"], "hierarchyID": "1:null"},
         {"hierarchy": ["a", "b"], "hierarchyID": ["1"]}, ["data.category"]),
        ("pageview", {"hierarchyID": ["undefined"], "impressedProducts": "null,NaN", "results": 1},
         {"results": 1}, ["data.hierarchyID", "data.impressedProducts"]),
        ("pageview", {"query": "null"}, {"query": "null"}, []),  # people search for anything
        ("addToBasket", {"itemID": "1", "categoryID": "[object Object]"}, {"itemID": "1"},
         ["data.categoryID"]),
        # An order isn't lost for it: its event's own id stands for it.
        ("purchase", {"id": "undefined", "items": [{"item": "1"}]},
         {"items": [{"item": "1", "quantity": 1}]}, ["data.id"]),
        ("purchase", {"transaction": {"id": "null", "revenue": 5}}, {"items": [], "revenue": 5},
         ["data.id"]),
        ("purchase", {"id": "7", "items": [{"item": "NaN"}, {"item": "1"}]},
         {"id": "7", "items": [{"item": "1", "quantity": 1}]}, ["data.items.0.item"]),
        ("purchase", {"id": "7", "basketItems": {"undefined": {"quantity": 1}, "1": {}}},
         {"id": "7", "items": [{"item": "1", "quantity": 1}]}, ["data.items.0.item"]),
    ],
)  # fmt: skip
async def test_n8_no_value_costs_itself(
    client: httpx.AsyncClient, api: Api, kind: str, data: Data, kept: Data, left_out: list[str]
) -> None:
    answer = await post(client, kind, data)
    assert answer.status_code == 202, answer.text
    assert [one["field"] for one in answer.json().get("warnings", [])] == left_out
    assert api.log.events[0].data == kept


@pytest.mark.parametrize("text", [text for text in NO_VALUES if "u-" not in text])
async def test_n8_page_and_context(client: httpx.AsyncClient, api: Api, text: str) -> None:
    if "'" in text:
        return  # a quote isn't what addresses and languages have around them
    page = {"url": text, "referrer": text, "title": "null"}
    context = {"timeZone": text, "language": text, "browser": "Chrome"}
    answer = await post(client, "x", {}, page=page, context=context)
    warnings = answer.json()["warnings"]
    assert [(one["field"], one["code"]) for one in warnings] == [
        (field, "no_value")
        for field in ("page.url", "page.referrer", "context.timeZone", "context.language")
    ]
    event = api.log.events[0]
    assert (event.page, event.context) == ({"title": "null"}, {"browser": "Chrome"})


async def test_n8_good_ones_are_left_alone(client: httpx.AsyncClient, api: Api) -> None:
    page = {"url": "https://null.example/undefined?x={{y}}", "referrer": ""}
    context = {"timeZone": "UTC", "language": "uk"}
    answer = await post(client, "x", {}, page=page, context=context)
    assert "warnings" not in answer.json()
    event = api.log.events[0]
    assert (event.page, event.context) == (page, context)


@pytest.mark.parametrize("kind", ["addToBasket", "removeFromBasket"])
@pytest.mark.parametrize("text", NO_VALUES)
async def test_n8_an_id_that_is_needed_refuses_its_event(
    client: httpx.AsyncClient, kind: str, text: str
) -> None:
    answer = await post(client, kind, {"itemID": text})
    assert (answer.status_code, answer.json()["code"]) == (422, "no_value")
    assert answer.json()["message"] == (
        "data.itemID: is what a template or script writes where it has no value"
    )


async def test_n8_times_without_a_zone_are_utc_and_warned_of(
    client: httpx.AsyncClient, api: Api
) -> None:
    times = ["2026-11-20T13:00:00", "2026-11-20 13:00", "2026-11-20", "2026-11-20T13:00:00Z",
             "2026-11-20T14:00:00+01:00", 1_795_179_600, None]  # fmt: skip
    events = [{"type": "x", "visitorId": f"v{n}", "occurredAt": t} for n, t in enumerate(times)]
    answer = await client.post(URL, json=events)
    warnings = answer.json()["warnings"]
    assert [(one["index"], one["field"], one["code"]) for one in warnings] == [
        (n, "occurredAt", "time_zone_missing") for n in range(3)
    ]
    assert "taken as UTC" in warnings[0]["message"]
    assert len({event.occurred_at for event in api.log.events if event.occurred_at.hour == 13}) == 1


async def test_n8_the_senders_clock_without_a_zone_is_warned_of(client: httpx.AsyncClient) -> None:
    event = {"type": "x", "visitorId": "v"}
    for body in ({"sentAt": "2026-11-20T13:00:00", "events": [event]},
                 {"sentAt": "2026-11-20T13:00:00", **event}):  # fmt: skip
        answer = await client.post(URL, json=body)
        found = [(one["index"], one["field"], one["code"]) for one in answer.json()["warnings"]]
        assert found == [(0, "sentAt", "time_zone_missing")]


async def test_f25_numbers_of_no_moment_cost_themselves(
    client: httpx.AsyncClient, api: Api
) -> None:
    for moment in NO_EPOCHS:
        event = {"type": "x", "visitorId": "v"}
        answer = await client.post(URL, json={**event, "occurredAt": moment})
        warning = answer.json()["warnings"][0]
        assert (answer.status_code, warning["field"]) == (202, "occurredAt"), moment
        assert "2027-01-31T10:00:00Z" in warning["message"]
        answer = await client.post(URL, json={"sentAt": moment, "events": [event]})
        again = {**warning, "field": "sentAt", "code": "datetime_parsing"}
        assert answer.json()["warnings"] == [again]
    assert {event.occurred_at for event in api.log.events} == {api.log.events[0].received_at}


@pytest.mark.parametrize("moment", ["soon", "\ud83d", True, [], {}])
async def test_f25_bad_clocks_cost_themselves(client: httpx.AsyncClient, moment: Any) -> None:
    body = {"sentAt": moment, "events": [{"type": "x", "visitorId": "v"}]}
    answer = await client.post(URL, content=json.dumps(body))
    assert (answer.status_code, answer.json()["warnings"][0]["field"]) == (202, "sentAt")
