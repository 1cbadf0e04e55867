"""Half an emoji, as a text cut by UTF-16 units ends with: strict parsers refuse a body for it."""

from __future__ import annotations

import json

import httpx
import orjson
import pytest

from tests.contract.ingest.doubles import Api
from tests.contract.ingest.test_events import URL, nested, pageview


@pytest.mark.parametrize("escape", ["ud83d", "uDD14", "udd14\\ud83d"])
async def test_half_an_emoji_costs_its_own_event_only(
    client: httpx.AsyncClient, api: Api, escape: str
) -> None:
    """A text that was cut by UTF-16 units: strict JSON parsers refuse the whole body for it."""
    good = orjson.dumps(pageview()).decode()
    whole = good.replace('"7"', r'"\ud83d\udd14"')
    body = f'{{"events": [{good}, {good.replace("7", chr(92) + escape)}, {whole}]}}'
    answer = await client.post(URL, content=body)
    assert answer.status_code == 202, answer.text
    told = answer.json()
    assert told["accepted"] == 2
    assert [(one["index"], one["code"]) for one in told["rejected"]] == [(1, "invalid_text")]
    assert [record.value.count("🔔".encode()) for record in api.log.records] == [0, 1]


async def test_deep_event_in_a_large_request_is_refused_alone(
    client: httpx.AsyncClient, api: Api
) -> None:
    deep = pageview(type="x", data=nested(300))
    answer = await client.post(URL, json=[deep, pageview(data={"title": "x" * 33_000})])
    assert answer.status_code == 422
    codes = [error["code"] for error in answer.json()["errors"]]
    assert codes == ["too_deep", "event_too_large"]


async def test_beside_half_an_emoji_limits_are_as_ever(client: httpx.AsyncClient, api: Api) -> None:
    deep = json.dumps(pageview(type="x", data=nested(300)))
    large = orjson.dumps(pageview(type="x", data={"t": "x" * 33_000})).decode()
    bad = r'{"type": "x", "visitorId": "v", "data": {"t": "\ud83d"}}'
    good = orjson.dumps(pageview()).decode()
    number = '{"type": "x", "visitorId": "v", "data": {"n": 123456789012345678901234567890}}'
    answer = await client.post(URL, content=f"[{deep}, {large}, {bad}, {number}, {good}]")
    codes = [one["code"] for one in answer.json()["rejected"]]
    assert codes == ["too_deep", "event_too_large", "invalid_text", "number_too_large"]
