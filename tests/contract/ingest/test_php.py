"""POST /v1/events: `[]` for `{}`, as PHP writes it, and a byte order mark before the JSON."""

from __future__ import annotations

from codecs import BOM_UTF8
from typing import Any

import httpx
import orjson
import pytest

from shared.models.wire import empty_list_as_object
from tests.contract.ingest.requests import EVENTS_URL, pageview
from tests.support.ingest_api import Api


@pytest.mark.parametrize(
    "event",
    [
        {"type": "logout", "visitorId": "v", "data": []},
        {"type": "custom", "visitorId": "v", "data": []},
        {"type": "logout", "visitorId": "v", "page": [], "context": []},
        {"type": "pageview", "visitorId": "v", "data": {"transaction": [], "basketItems": []}},
    ],
)
async def test_f09_an_empty_list_is_an_empty_object(
    client: httpx.AsyncClient, api: Api, event: dict[str, Any]
) -> None:
    answer = await client.post(EVENTS_URL, json=event)
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1, "rejected": []})
    stored = api.log.events[0]
    assert (stored.page, stored.context) == (None, None)


async def test_f09_a_list_with_something_in_it_is_none(client: httpx.AsyncClient) -> None:
    assert empty_list_as_object([0]) == [0]
    answer = await client.post(EVENTS_URL, json={"type": "logout", "visitorId": "v", "data": [1]})
    assert answer.status_code == 422


@pytest.mark.parametrize("text", ["shoe", "\\ud83d"])
async def test_f12_a_byte_order_mark_is_skipped(client: httpx.AsyncClient, text: str) -> None:
    body = orjson.dumps([pageview(), pageview(page={"title": "TITLE"})])
    body = BOM_UTF8 + body.replace(b"TITLE", text.encode())
    answer = await client.post(EVENTS_URL, content=body)
    assert (answer.status_code, answer.json()["accepted"]) == (202, 2 if text == "shoe" else 1)
