"""POST /v1/webhooks/onesignal/{key}: bodies as the SDKs send them (docs/onesignal.md D)."""

from __future__ import annotations

from typing import Any

import httpx
import orjson
import pytest

from tests.contract.ingest.provider_messages import (
    MESSAGE,
    PLAYER,
    PUSH_TEXT,
    SALE_URL,
    TAG,
    WEBHOOK_V16,
)
from tests.support.ingest_api import SHOP, Api

URL = "/v1/webhooks/onesignal/wh_open"
BUTTONS = [{"action": "read-more", "title": "Read more"}, {"action": "later", "title": "Later"}]

V15 = {
    "id": MESSAGE, "userId": PLAYER, "buttons": BUTTONS, **PUSH_TEXT, "url": SALE_URL,
    "icon": "https://cdn.example.test/icon.png", "data": {"carillon": TAG, "n": 3},
}  # fmt: skip
JSON = {"Content-Type": "application/json", "Origin": SHOP}
NO_CORS = {"Content-Type": "text/plain;charset=UTF-8"}


def webhook_body(kind: str, **more: Any) -> dict[str, Any]:
    return {
        "kind": kind, "notificationId": MESSAGE, "playerID": PLAYER, "url": SALE_URL,
        "data": {"carillon": TAG, "n": 3}, **more,
    }  # fmt: skip


@pytest.mark.parametrize("cors", [True, False])
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"event": "notification.displayed", **V15}, webhook_body("impression")),
        ({"event": "notification.clicked", **V15}, webhook_body("click")),
        (
            {"event": "notification.clicked", **V15, "action": "read-more"},
            webhook_body("click", action="read-more"),
        ),
        ({"event": "notification.dismissed", **V15}, webhook_body("close")),
        ({"event": "notification.willDisplay", **WEBHOOK_V16}, webhook_body("impression")),
        ({"event": "notification.clicked", **WEBHOOK_V16, "actionId": ""}, webhook_body("click")),
        (
            {"event": "notification.clicked", **WEBHOOK_V16, "actionId": "read-more"},
            webhook_body("click", action="read-more"),
        ),
        ({"event": "notification.dismissed", **WEBHOOK_V16}, webhook_body("close")),
        ({"event": "notification.dismiss", **WEBHOOK_V16}, webhook_body("close")),
    ],
)
async def test_sdks_bodies(
    client: httpx.AsyncClient, api: Api, body: dict[str, Any], expected: dict[str, Any], cors: bool
) -> None:
    headers = {**JSON, "X-OneSignal-Event": body["event"]} if cors else NO_CORS
    answer = await client.post(URL, content=orjson.dumps(body), headers=headers)
    assert answer.status_code == 202
    assert answer.headers.get("Access-Control-Allow-Origin") == (SHOP if cors else None)
    (record,), (event,) = api.log.records, api.log.events
    assert (record.key, record.type) == (PLAYER, "oneSignalWebhook")
    assert (event.source, event.player_id, event.visitor_id) == ("webhook", PLAYER, None)
    assert event.data == expected


async def test_repetition_has_the_same_id(client: httpx.AsyncClient, api: Api) -> None:
    for url in (URL, URL, "/v1/webhooks/onesignal/wh_shop"):
        for action in ("", "later"):
            body = {"event": "notification.clicked", **WEBHOOK_V16, "actionId": action}
            await client.post(url, json=body)
    ids = [event.id for event in api.log.events]
    assert ids[:2] == ids[2:4]
    assert len(set(ids)) == 4


@pytest.mark.parametrize(
    "lack",
    [
        {"notificationId": None},
        {"subscriptionId": None},
        {"subscriptionId": f"local-{PLAYER}"},
        {"notificationId": "welcome"},
        {"notificationId": None, "subscriptionId": None},
    ],
)
async def test_what_can_never_count_is_accepted_and_dropped(
    client: httpx.AsyncClient, api: Api, lack: dict[str, Any]
) -> None:
    body = {"event": "notification.dismissed", **WEBHOOK_V16, **lack}
    for sent in (body, {key: value for key, value in body.items() if value is not None}):
        answer = await client.post(URL, json=sent)
        assert (answer.status_code, answer.json()["accepted"]) == (202, 0)
    assert api.log.records == []
    metrics = (await client.get("/metrics")).text
    assert 'carillon_ingest_unattributable_total{app="open",reason="no_' in metrics


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_json"),
        (b"\xff", "invalid_json"),
        (b"[]", "invalid_shape"),
        (b"null", "invalid_shape"),
        (b"{}", "invalid"),
        (orjson.dumps({"event": 7, **WEBHOOK_V16}), "invalid"),
        (
            orjson.dumps({"event": "notification.clicked", **WEBHOOK_V16, "notificationId": 7}),
            "invalid",
        ),
        (orjson.dumps({"event": "notification.exploded", **WEBHOOK_V16}), "unknown_event"),
    ],
)
async def test_malformed_bodies(
    client: httpx.AsyncClient, api: Api, body: bytes, code: str
) -> None:
    answer = await client.post(URL, content=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert api.log.records == []


@pytest.mark.parametrize("depth", [8, 200, 254, 900])
async def test_too_deep_is_refused_at_the_endpoint(
    client: httpx.AsyncClient, api: Api, depth: int
) -> None:
    # On the log it would be a record that no stage can read.
    for allowed in (True, False):
        data = b'{"a":' * (7 if allowed else depth) + b"1" + b"}" * (7 if allowed else depth)
        body = orjson.dumps({"event": "notification.clicked", **WEBHOOK_V16})
        body = body.replace(orjson.dumps(WEBHOOK_V16["additionalData"]), data)
        answer = await client.post(URL, content=body)
        assert answer.status_code == (202 if allowed else 422)
    assert answer.json()["code"] == "too_deep"
    assert len(api.log.events) == 1  # and that one can be read again


async def test_odd_custom_data_is_dropped(client: httpx.AsyncClient, api: Api) -> None:
    odd_ones: tuple[Any, ...] = (None, "text", 7, [])
    for odd in odd_ones:
        body = {"event": "notification.clicked", **WEBHOOK_V16, "additionalData": odd}
        assert (await client.post(URL, json=body)).status_code == 202
    assert all("data" not in event.data for event in api.log.events)


async def test_large_body_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post(URL, content=b" " * (16 * 1024 + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("key", ["nobody", "wk_open", "wh_off", "k" * 300])
async def test_unknown_key(client: httpx.AsyncClient, key: str) -> None:
    body = {"event": "notification.clicked", **WEBHOOK_V16}
    answer = await client.post(f"/v1/webhooks/onesignal/{key}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (401, "unknown_key")


async def test_log_away(client: httpx.AsyncClient, api: Api) -> None:
    api.log.away = True
    answer = await client.post(URL, json={"event": "notification.clicked", **WEBHOOK_V16})
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize(("origin", "allowed"), [(SHOP, SHOP), (None, "*")])
async def test_preflight(client: httpx.AsyncClient, origin: str | None, allowed: str) -> None:
    asks = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-onesignal-event",
    }
    answer = await client.options(URL, headers={**asks, **({"Origin": origin} if origin else {})})
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == allowed
    assert answer.headers["Access-Control-Allow-Methods"] == "POST"
    assert answer.headers["Access-Control-Allow-Headers"] == "content-type, x-onesignal-event"
    assert answer.headers["Access-Control-Max-Age"] == "86400"


@pytest.mark.parametrize(
    "odd",
    [
        {"actionId": {}, "url": {}},
        {"actionId": ["a"], "url": True},
        {"actionId": "a" * 257, "url": "u" * 9_000},
        {"actionId": None, "url": []},
    ],
)
async def test_f25_a_wrong_type_beside_the_tag_doesnt_cost_the_click(
    client: httpx.AsyncClient, api: Api, odd: dict[str, Any]
) -> None:
    body = {"event": "notification.clicked", **WEBHOOK_V16, **odd}
    assert (await client.post(URL, json=body)).json()["accepted"] == 1
    data = api.log.events[0].data
    assert data["data"] == {"carillon": TAG, "n": 3}
    assert "action" not in data and "url" not in data


async def test_f25_a_numbers_text_names_the_button(client: httpx.AsyncClient, api: Api) -> None:
    body = {"event": "notification.clicked", **WEBHOOK_V16, "actionId": 1}
    assert (await client.post(URL, json=body)).json()["accepted"] == 1
    assert api.log.events[0].data["action"] == "1"
