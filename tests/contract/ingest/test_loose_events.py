"""POST /v1/events: what a shop's templates leave empty, and numbers that nobody can keep."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.support.ingest_api import Api

URL = "/v1/events?key=wk_open"
LINE = {"item": "1", "quantity": "", "price": "1,234.50"}


async def post(client: httpx.AsyncClient, kind: str, data: dict[str, Any]) -> httpx.Response:
    return await client.post(URL, json={"type": kind, "visitorId": "v", "data": data})


@pytest.mark.parametrize(
    ("kind", "data", "kept"),
    [
        ("pageview", {"itemID": "", "categoryID": "c", "basketTotal": " "}, {"categoryID": "c"}),
        ("pageview", {"itemID": "''", "currency": ""}, {}),
        ("pageview", {"basketItems": [LINE]},
         {"basketItems": [{"item": "1", "quantity": 1, "price": 1234.5}]}),
        ("addToBasket", {"itemID": "1", "quantity": "", "price": ""}, {"itemID": "1"}),
        ("identify", {"login": "", "email": "eva@example.test"},
         {"email": "eva@example.test", "proven": False}),
        ("purchase", {"id": "", "revenue": "5"}, {"items": [], "revenue": 5}),
    ],
)  # fmt: skip
async def test_empty_is_absent(
    client: httpx.AsyncClient, api: Api, kind: str, data: dict[str, Any], kept: dict[str, Any]
) -> None:
    assert (await post(client, kind, data)).status_code == 202
    assert api.log.events[0].data == kept


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        # as Persoo's plugin writes them
        ({"hierarchy": "7:12", "category": "Bells", "impressedProducts": "['1','2']", "results": 3},
         {"hierarchy": ["7", "12"], "category": "Bells", "impressedProducts": ["1", "2"], "results": 3}),
        ({"hierarchy": ["Sound", "Bells, big: all"], "hierarchyID": [7, "'12'"],
          "impressedProducts": [1, 2.0, "'3'"], "results": "1 234"},
         {"hierarchy": ["Sound", "Bells, big: all"], "hierarchyID": ["7", "12"],
          "impressedProducts": ["1", "2", "3"], "results": 1234}),
        ({"hierarchyID": 7, "impressedProducts": "4,5", "results": ["a", "b"], "category": ["A", "B"]},
         {"hierarchyID": ["7"], "impressedProducts": ["4", "5"], "results": 2, "category": "A"}),
        # cut by the snippet in the middle of an id, which would be another one
        ({"impressedProducts": "['11','22','3"}, {"impressedProducts": ["11", "22"]}),
        # bounded
        ({"impressedProducts": list(range(1_000)), "hierarchy": ["h" * 129, "h" * 128]},
         {"impressedProducts": [str(n) for n in range(50)], "hierarchy": ["h" * 128]}),
        # what is none is left out, and costs nothing
        ({"hierarchy": {"a": 1}, "hierarchyID": [None, {}, [], True, ""], "impressedProducts": "[]",
          "results": -1, "category": {"name": "A"}, "itemID": "1"}, {"itemID": "1"}),
        ({"hierarchy": "", "hierarchyID": None, "impressedProducts": True, "results": "many",
          "category": ""}, {}),
        ({"results": 1e300, "category": 1e300, "hierarchy": 1e300, "impressedProducts": ["a\u0000"]}, {}),
        ({"results": True, "category": "c" * 129, "hierarchyID": [["1", "2"]]}, {"hierarchyID": ["1"]}),
    ],
)  # fmt: skip
async def test_what_a_page_shows_is_read_as_it_comes_and_refuses_nothing(
    client: httpx.AsyncClient, api: Api, data: dict[str, Any], kept: dict[str, Any]
) -> None:
    answer = await post(client, "pageview", data)
    assert (answer.status_code, answer.json()["rejected"]) == (202, [])
    assert api.log.events[0].data == kept


@pytest.mark.parametrize(
    ("kind", "data", "field"),
    [
        ("addToBasket", {"itemID": "", "quantity": 1}, "events.0.data.itemID"),
        ("identify", {"login": "", "email": " "}, "events.0.data"),
        ("oneSignal", {"playerID": "", "status": 1}, "events.0.data.playerID"),
    ],
)
async def test_what_is_needed_is_still_missed(
    client: httpx.AsyncClient, kind: str, data: dict[str, Any], field: str
) -> None:
    answer = await post(client, kind, data)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].startswith(field)


@pytest.mark.parametrize("number", ["99999999999999999999", "-9223372036854775809", "1e300"])
async def test_numbers_that_would_become_others_are_refused(
    client: httpx.AsyncClient, api: Api, number: str
) -> None:
    body = '{"type": "custom", "visitorId": "v", "data": {"a": [{"n": %s}]}}'
    answer = await client.post(URL, content=body % number)
    assert (answer.status_code, answer.json()["code"]) == (422, "number_too_large")
    answer = await client.post(URL, content=body % "9223372036854775807")
    assert answer.status_code == 202
    assert api.log.events[0].data == {"a": [{"n": 2**63 - 1}]}
