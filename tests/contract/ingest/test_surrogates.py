"""Half an emoji, as a text cut by UTF-16 units ends with: strict parsers refuse a body for it."""

from __future__ import annotations

import json
import sys
from typing import Any

import httpx
import orjson
import pytest

from ingest_service.collect.batch import NotUnicode, _mark_not_unicode
from tests.contract.ingest.provider_messages import (
    STREAM_BEARER,
    STREAM_MESSAGE,
    STREAM_URL,
    TAG,
    WEBHOOK_V16,
)
from tests.contract.ingest.requests import EVENTS_URL, nested, pageview
from tests.support.ingest_api import Api


@pytest.mark.parametrize("escape", ["ud83d", "uDD14", "udd14\\ud83d"])
async def test_half_an_emoji_costs_its_own_event_only(
    client: httpx.AsyncClient, api: Api, escape: str
) -> None:
    # A text that was cut by UTF-16 units: strict JSON parsers refuse the whole body for it.
    good = orjson.dumps(pageview()).decode()
    whole = good.replace('"7"', r'"\ud83d\udd14"')
    body = f'{{"events": [{good}, {good.replace("7", chr(92) + escape)}, {whole}]}}'
    answer = await client.post(EVENTS_URL, content=body)
    assert answer.status_code == 202, answer.text
    response = answer.json()
    assert response["accepted"] == 2
    assert [(one["index"], one["code"]) for one in response["rejected"]] == [(1, "invalid_text")]
    assert [record.value.count("🔔".encode()) for record in api.log.records] == [0, 1]


async def test_deep_event_in_a_large_request_is_refused_alone(
    client: httpx.AsyncClient, api: Api
) -> None:
    deep = pageview(type="x", data=nested(300))
    answer = await client.post(EVENTS_URL, json=[deep, pageview(data={"title": "x" * 33_000})])
    assert answer.status_code == 422
    codes = [error["code"] for error in answer.json()["errors"]]
    assert codes == ["too_deep", "event_too_large"]


async def test_beside_half_an_emoji_limits_are_as_ever(client: httpx.AsyncClient, api: Api) -> None:
    deep = json.dumps(pageview(type="x", data=nested(300)))
    large = orjson.dumps(pageview(type="x", data={"t": "x" * 33_000})).decode()
    bad = r'{"type": "x", "visitorId": "v", "data": {"t": "\ud83d"}}'
    good = orjson.dumps(pageview()).decode()
    number = '{"type": "x", "visitorId": "v", "data": {"n": 123456789012345678901234567890}}'
    answer = await client.post(EVENTS_URL, content=f"[{deep}, {large}, {bad}, {number}, {good}]")
    codes = [one["code"] for one in answer.json()["rejected"]]
    assert codes == ["too_deep", "event_too_large", "invalid_text", "number_too_large"]


async def test_webhook_with_half_an_emoji_counts(client: httpx.AsyncClient, api: Api) -> None:
    # Its title is a cut text; what is ours is in other fields.
    data = {"carillon": TAG, "HALF": ["HALF", 3]}
    body = {
        **WEBHOOK_V16,
        "event": "notification.clicked",
        "heading": "HALF",
        "additionalData": data,
    }
    text = json.dumps(body).replace("HALF", r"Sale \ud83d")
    answer = await client.post("/v1/webhooks/onesignal/wh_open", content=text)
    assert (answer.status_code, answer.json()["accepted"]) == (202, 1)
    (event,) = api.log.events
    assert event.data["kind"] == "click"
    assert event.data["data"] == {"carillon": TAG, "Sale \ufffd": ["Sale \ufffd", 3]}


async def test_stream_with_half_an_emoji_counts(client: httpx.AsyncClient, api: Api) -> None:
    """OneSignal clips `message.contents` at 50 characters, and disables a stream that is refused."""
    text = (
        orjson.dumps({**STREAM_MESSAGE, "message.contents": "HALF"})
        .decode()
        .replace("HALF", r"\ud83d")
    )
    answer = await client.post(STREAM_URL, content=text, headers=STREAM_BEARER)
    assert (answer.status_code, answer.json()["accepted"]) == (202, 1)
    assert api.log.events[0].data["kind"] == "clicked"


@pytest.mark.parametrize("body", [r'{"a": "\ud83d"', r'["\ud83d"]', r'{"a": "\ud83d", "b": NaN}'])
async def test_half_an_emoji_excuses_nothing_else(
    client: httpx.AsyncClient, api: Api, body: str
) -> None:
    answer = await client.post(STREAM_URL, content=body, headers=STREAM_BEARER)
    assert answer.status_code == 422
    deep = json.dumps({"a": r"\ud83d", "b": nested(300)})
    answer = await client.post(STREAM_URL, content=deep.replace(r"\\", "\\"), headers=STREAM_BEARER)
    assert (answer.status_code, answer.json()["code"]) == (422, "too_deep")


def test_nesting_of_events_is_not_followed() -> None:
    """Newer Pythons' parser goes deeper than their calls may: a body of that kind is a 422, too."""
    deep: Any = [{"type": "\ud800"}]
    for _ in range(5 * sys.getrecursionlimit()):
        deep = {"events": deep}
    assert _mark_not_unicode(deep)["events"] is deep["events"]
    assert isinstance(_mark_not_unicode({"events": [{"type": "\ud800"}]})["events"][0], NotUnicode)
