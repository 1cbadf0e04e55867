"""POST /v1/webhooks/onesignal/{key}/stream: Event Streams in whatever body a customer defined."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest
from prometheus_client import REGISTRY

from tests.contract.ingest.provider_messages import (
    CLICKED_AT,
    MESSAGE,
    PLAYER,
    STREAM_BEARER,
    STREAM_MESSAGE,
    STREAM_URL,
    TAG,
)
from tests.support.ingest_api import NOW, Api


def nested(flat: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for path, value in flat.items():
        *parents, name = path.split(".")
        place = body
        for parent in parents:
            place = place.setdefault(parent, {})
        place[name] = value
    return body


def without(*paths: str, **more: Any) -> dict[str, Any]:
    return {**{key: value for key, value in STREAM_MESSAGE.items() if key not in paths}, **more}


def unattributable(reason: str) -> float:
    labels = {"app": "open", "reason": reason}
    return REGISTRY.get_sample_value("carillon_ingest_unattributable_total", labels) or 0.0


async def post(client: httpx.AsyncClient, body: Any, url: str = STREAM_URL) -> httpx.Response:
    return await client.post(url, content=orjson.dumps(body), headers=STREAM_BEARER)


@pytest.mark.parametrize(
    "body",
    [
        STREAM_MESSAGE,
        nested(STREAM_MESSAGE),
        {
            "event": {k[6:]: v for k, v in STREAM_MESSAGE.items() if k.startswith("event.")},
            **without(),
        },
        without("event.timestamp", **{"event.timestamp": int(CLICKED_AT.timestamp())}),
        without("event.timestamp", **{"event.timestamp": int(CLICKED_AT.timestamp() * 1000)}),
        {**nested(STREAM_MESSAGE), "event.kind": "", "event.id": "", "message.id": ""},
        without("event.timestamp"),
        without("event.timestamp", **{"event.timestamp": ""}),
        without("event.subscription_id", user={"subscription": {"id": PLAYER.upper()}}),
    ],
)
async def test_shapes(client: httpx.AsyncClient, api: Api, body: dict[str, Any]) -> None:
    answer = await post(client, body)
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1, "rejected": []})
    (record,), (event,) = api.log.records, api.log.events
    assert (record.key, record.type) == (PLAYER, "carillon.stream")
    assert (event.app, event.source, event.visitor_id) == ("open", "stream", None)
    assert (event.player_id, event.occurred_at, event.received_at) == (PLAYER, CLICKED_AT, NOW)
    assert event.data == {
        "kind": "clicked", "notificationId": MESSAGE, "playerID": PLAYER, "tag": TAG
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["sent", "received", "clicked", "failed", "unsubscribed"])
async def test_kinds(client: httpx.AsyncClient, api: Api, kind: str) -> None:
    reason = {"event.data.failure_reason": "Unregistered"} if kind == "failed" else {}
    body = {
        **STREAM_MESSAGE,
        "event.kind": f"message.push.{kind}",
        "message.name": "Summer sale",
        **reason,
    }
    assert (await post(client, body)).status_code == 202
    data = api.log.events[0].data
    assert (data["kind"], data.get("tag")) == (kind, None)
    assert data.get("reason") == ("Unregistered" if reason else None)


async def test_unsubscribed_needs_no_message(client: httpx.AsyncClient, api: Api) -> None:
    body = without("message.id", "message.name", **{"event.kind": "message.push.unsubscribed"})
    assert (await post(client, body)).json()["accepted"] == 1
    assert api.log.events[0].data == {"kind": "unsubscribed", "playerID": PLAYER}


async def test_repetition_has_the_same_id(client: httpx.AsyncClient, api: Api) -> None:
    other = {**STREAM_MESSAGE, "event.id": "0b7c9c5e-1111-4222-8333-555555555555"}
    nameless = without("event.id")
    for body in (STREAM_MESSAGE, other, nameless):
        await post(client, body)
        await post(client, body)
    ids = [event.id for event in api.log.events]
    assert ids[::2] == ids[1::2]
    assert len(set(ids)) == 3


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"event.kind": "message.email.sent"}, "unknown_kind"),
        ({"event.kind": "message.push.forwarded"}, "unknown_kind"),
        ({"event.subscription_id": ""}, "no_player"),
        ({"event.subscription_id": f"local-{PLAYER}"}, "no_player"),
        ({"message.id": None}, "no_message"),
    ],
)
async def test_what_can_never_count_is_taken_and_counted(
    client: httpx.AsyncClient, api: Api, changes: dict[str, Any], reason: str
) -> None:
    before = unattributable(reason)
    answer = await post(client, {**STREAM_MESSAGE, **changes})
    assert (answer.status_code, answer.json()["accepted"]) == (202, 0)
    assert unattributable(reason) == before + 1
    assert api.log.records == []


async def test_time_is_clamped(client: httpx.AsyncClient, api: Api) -> None:
    for at in (NOW + timedelta(days=1), NOW - timedelta(days=400)):
        await post(client, {**STREAM_MESSAGE, "event.timestamp": at.timestamp()})
    await post(client, without("event.timestamp", "event.datetime"))
    times = [event.occurred_at for event in api.log.events]
    assert times == [NOW, NOW - timedelta(days=30), NOW]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "st_open"},
        {"Authorization": "Bearer st_shop"},
        {"Authorization": "Bearer wk_open"},
        {"Authorization": "Bearer wh_open"},
        {"Authorization": f"Bearer {'x' * 300}"},
    ],
)
async def test_only_the_apps_own_secret_opens(
    client: httpx.AsyncClient, api: Api, headers: dict[str, str]
) -> None:
    answer = await client.post(STREAM_URL, json=STREAM_MESSAGE, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "unknown_key")
    assert api.log.records == []


async def test_unknown_webhook_key(client: httpx.AsyncClient) -> None:
    answer = await post(client, STREAM_MESSAGE, "/v1/webhooks/onesignal/nobody/stream")
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("content", "code", "status"),
    [
        (b"", "invalid_json", 422),
        (b'{"event.kind": NaN}', "invalid_json", 422),
        (b'{"event.kind": "caf\xe9"}', "invalid_json", 422),
        (b"[]", "invalid_shape", 422),
        (b"{}", "missing", 422),
        (b'{"event.kind": {"event": 1}}', "missing", 422),
        (b'{"event":' * 8 + b"1" + b"}" * 8, "missing", 422),
        (b'{"event":' * 9 + b"1" + b"}" * 9, "too_deep", 422),
        (b'{"event":' * 900 + b"1" + b"}" * 900, "too_deep", 422),
        (b" " * 70_000, "too_large", 413),
    ],
)
async def test_bad_bodies(
    client: httpx.AsyncClient, api: Api, content: bytes, code: str, status: int
) -> None:
    answer = await client.post(STREAM_URL, content=content, headers=STREAM_BEARER)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert api.log.records == []
