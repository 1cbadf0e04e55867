"""POST /v1/events: every answer it gives."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest

from tests.contract.ingest.requests import EVENTS_URL, PLAYER, code_of, nested, pageview
from tests.support.ingest_api import NOW, SHOP, Api


@pytest.mark.parametrize(
    "body",
    [pageview(), [pageview()], {"events": [pageview()]}, {"events": [pageview()], "sentAt": None}],
)
async def test_shapes_of_a_request(client: httpx.AsyncClient, api: Api, body: Any) -> None:
    answer = await client.post(EVENTS_URL, json=body)
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1, "rejected": []})
    assert [event.type for event in api.log.events] == ["pageview"]


async def test_stored_event_is_the_wire_model(client: httpx.AsyncClient, api: Api) -> None:
    event = {
        "id": "A27B5F0C-0000-4000-8000-00000000000a",
        "type": "oneSignal",
        "visitorId": "v:1.a-b_C",
        "occurredAt": "2026-11-22T11:59:00Z",
        "page": {"url": f"{SHOP}/", "title": "Shop", "referrer": "", "more": 1},
        "context": {
            "timeZone": "Europe/Prague",
            "language": "cs",
            "browser": "chrome",
            "sdk": "16",
        },
        "data": {"playerID": PLAYER, "status": 1},
        "unknown": True,
    }
    assert (await client.post(EVENTS_URL, json=event)).status_code == 202
    (record,) = api.log.records
    assert (record.topic, record.key, record.type) == ("carillon.events", "v:1.a-b_C", "oneSignal")
    assert orjson.loads(record.value) == {
        "v": 1,
        "app": "open",
        "id": "a27b5f0c-0000-4000-8000-00000000000a",
        "type": "oneSignal",
        "source": "browser",
        "visitorId": "v:1.a-b_C",
        "playerId": PLAYER.lower(),
        "occurredAt": "2026-11-22T11:59:00Z",
        "receivedAt": "2026-11-22T12:00:00Z",
        "page": {"url": f"{SHOP}/", "title": "Shop", "referrer": ""},
        "context": {
            "timeZone": "Europe/Prague",
            "language": "cs",
            "browser": "chrome",
            "sdk": "16",
        },
        "data": {"playerID": PLAYER.lower(), "status": "subscribed", "state": "subscribed"},
    }


async def test_events_of_a_request_are_published_together(
    client: httpx.AsyncClient, api: Api
) -> None:
    answer = await client.post(EVENTS_URL, json=[pageview() for _ in range(500)])
    assert answer.json()["accepted"] == 500
    assert api.log.calls == 1
    assert len({event.id for event in api.log.events}) == 500


async def test_beacon_is_text(client: httpx.AsyncClient, api: Api) -> None:
    body = orjson.dumps(pageview())
    answer = await client.post(
        EVENTS_URL, content=body, headers={"Content-Type": "text/plain;charset=UTF-8"}
    )
    assert answer.status_code == 202


async def test_custom_event_keeps_its_data(client: httpx.AsyncClient, api: Api) -> None:
    data = {"any": {"thing": [1, "x"]}}
    answer = await client.post(
        EVENTS_URL, json={"type": "my.shop:opened-2", "visitorId": "v", "data": data}
    )
    assert answer.status_code == 202
    assert api.log.events[0].data == data


async def test_time_is_corrected_by_the_senders_clock(client: httpx.AsyncClient, api: Api) -> None:
    ahead = NOW + timedelta(hours=2)
    batch = {
        "events": [pageview(occurredAt=(ahead - timedelta(seconds=90)).isoformat())],
        "sentAt": ahead.isoformat(),
    }
    assert (await client.post(EVENTS_URL, json=batch)).status_code == 202
    assert api.log.events[0].occurred_at == NOW - timedelta(seconds=90)


async def test_time_may_be_in_milliseconds(client: httpx.AsyncClient, api: Api) -> None:
    at = NOW - timedelta(minutes=1)
    await client.post(EVENTS_URL, json=pageview(occurredAt=int(at.timestamp() * 1000)))
    assert api.log.events[0].occurred_at == at


async def test_bad_ones_do_not_take_the_good_along(client: httpx.AsyncClient, api: Api) -> None:
    same = str(uuid.uuid4())
    deep = nested(8)
    events = [
        pageview(id=same),
        pageview(id=same.upper()),
        7,
        pageview(id="7"),
        pageview(visitorId="a b"),
        {"type": "pageview"},
        pageview(type="carillon.erase"),
        pageview(type="7up"),
        {
            "type": "oneSignal",
            "visitorId": "v",
            "data": {"playerID": f"local-{PLAYER}", "status": 1},
        },
        {"type": "custom", "visitorId": "v", "data": deep},
        {"type": "custom", "visitorId": "v", "data": {"x": "y" * 33_000}},
        pageview(occurredAt="yesterday"),
        pageview(occurredAt=1e300),
        pageview(occurredAt=True),
    ]
    answer = await client.post(EVENTS_URL, json=events)
    assert answer.status_code == 202
    body = answer.json()
    assert body["accepted"] == 4
    assert [(r["index"], r["code"]) for r in body["rejected"]] == [
        (1, "duplicate_id"),
        (2, "not_an_object"),
        (3, "uuid"),
        (4, "string_pattern_mismatch"),
        (5, "missing"),
        (6, "reserved_type"),
        (7, "string_pattern_mismatch"),
        (8, "local_player_id"),
        (9, "too_deep"),
        (10, "event_too_large"),
    ]
    assert all(set(r) == {"index", "code", "message"} for r in body["rejected"])
    assert [(w["index"], w["field"], w["code"]) for w in body["warnings"]] == [
        (11, "occurredAt", "datetime_from_date_parsing"),
        (12, "occurredAt", "datetime_parsing"),
        (13, "occurredAt", "datetime_type"),
    ]
    assert len(api.log.records) == 4


async def test_depth_of_eight_is_allowed(client: httpx.AsyncClient) -> None:
    custom = {"type": "custom", "visitorId": "v", "data": nested(6)}  # itself the first level
    answer = await client.post(EVENTS_URL, json=custom)
    assert answer.status_code == 202


async def test_none_valid_is_an_error_that_names_the_fields(client: httpx.AsyncClient) -> None:
    bad = {"type": "oneSignal", "visitorId": "v", "data": {"playerID": "7", "status": "no"}}
    answer = await client.post(EVENTS_URL, json=[{}, 1, bad])
    assert answer.status_code == 422
    assert code_of(answer) == "missing"
    fields = [(error["field"], error["code"]) for error in answer.json()["errors"]]
    assert fields == [
        ("events.0.type", "missing"),
        ("events.0.visitorId", "missing"),
        ("events.1", "not_an_object"),
        ("events.2.data.playerID", "player_id"),
        ("events.2.data.status", "literal_error"),
    ]
    assert "no" not in [error["message"] for error in answer.json()["errors"]]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b'{"type": "caf\xe9"}', "invalid_json"),
        (b'{"type":"x","visitorId":"v","data":{"n":NaN}}', "invalid_json"),
        (b"[" * 5000, "invalid_json"),
        (b"[" * 5000 + rb'"\ud83d"', "invalid_json"),
        (rb'[{"type":"x","visitorId":"v","data":{"n":NaN,"t":"\ud83d"}}]', "invalid_json"),
        (rb'[{"type":"x","visitorId":"v","data":{"n":1e400,"t":"\ud83d"}}]', "invalid_json"),
        (rb'{"type":"x","visitorId":"v","data":{"t":"\ud83d"}}', "invalid_text"),
        (rb'{"events": "\ud83d"}', "invalid_shape"),
        (b"7", "invalid_shape"),
        (b'{"events": {}}', "invalid_shape"),
        (b"[]", "empty_batch"),
        (b'{"events": []}', "empty_batch"),
        (orjson.dumps([pageview()] * 501), "too_many_events"),
    ],
)
async def test_bad_bodies(client: httpx.AsyncClient, api: Api, body: bytes, code: str) -> None:
    answer = await client.post(EVENTS_URL, content=body)
    assert (answer.status_code, code_of(answer)) == (422, code)
    assert api.log.records == []


async def test_too_large_is_refused_by_its_header(client: httpx.AsyncClient, api: Api) -> None:
    async def unread() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    headers = {"Content-Length": str(1024 * 1024 + 1)}
    answer = await client.post(EVENTS_URL, content=unread(), headers=headers)
    assert (answer.status_code, code_of(answer)) == (413, "too_large")


async def test_too_large_is_noticed_while_reading(client: httpx.AsyncClient) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 65_536
            yield b" " * 65_536

    answer = await client.post(EVENTS_URL, content=endless())
    assert (answer.status_code, code_of(answer)) == (413, "too_large")
    assert read <= 1024 * 1024 + 65_536


async def test_exactly_a_mebibyte_is_read(client: httpx.AsyncClient) -> None:
    body = orjson.dumps(pageview())
    answer = await client.post(EVENTS_URL, content=body + b" " * (1024 * 1024 - len(body)))
    assert answer.status_code == 202
