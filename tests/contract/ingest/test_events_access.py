"""POST /v1/events: whose keys, which origins, whose logins."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY

from shared.mongo.client import open_database
from shared.secrets import Vault
from shared.settings import MongoSettings
from tests.contract.ingest.requests import EVENTS_URL, LOGIN_HASH, code_of, pageview
from tests.support.ingest_api import SHOP, Api, app


@pytest.mark.parametrize(
    ("query", "headers", "code"),
    [
        ("", {}, "missing_key"),
        ("?key=", {}, "missing_key"),
        ("?key=nobody", {}, "unknown_key"),
        ("?key=wh_open", {}, "unknown_key"),
        ("?key=wk_off", {}, "unknown_key"),
        ("", {"X-Write-Key": "k" * 300}, "missing_key"),
    ],
)
async def test_unknown_keys(
    client: httpx.AsyncClient, api: Api, query: str, headers: dict[str, str], code: str
) -> None:
    answer = await client.post(f"/v1/events{query}", json=pageview(), headers=headers)
    assert (answer.status_code, code_of(answer)) == (401, code)
    assert api.log.records == []


async def test_servers_have_their_own_keys(client: httpx.AsyncClient, api: Api) -> None:
    answer = await client.post("/v1/events", json=pageview(), headers={"X-Write-Key": "sk_open"})
    assert answer.status_code == 202
    assert api.log.events[0].source == "server"


async def test_log_away_is_reported_at_once(client: httpx.AsyncClient, api: Api) -> None:
    api.log.away = True
    answer = await client.post(EVENTS_URL, json=pageview())
    assert (answer.status_code, code_of(answer)) == (503, "kafka_unavailable")
    assert int(answer.headers["Retry-After"]) > 0


async def test_apps_not_known_yet_is_not_an_unknown_key() -> None:
    async with open_database(MongoSettings(), "test") as database, Api(database).client() as client:
        answer = await client.post(EVENTS_URL, json=pageview())
    assert (answer.status_code, code_of(answer)) == (503, "mongo_unavailable")
    assert int(answer.headers["Retry-After"]) > 0


async def test_allowed_origin_may_read_the_answer(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/events?key=wk_shop", json=pageview(), headers={"Origin": SHOP})
    assert answer.status_code == 202
    assert answer.headers["Access-Control-Allow-Origin"] == SHOP
    assert answer.headers["Vary"] == "Origin"


async def test_n8_another_origin_is_refused_readably(client: httpx.AsyncClient, api: Api) -> None:
    # Its page learns why; without these headers a browser reports only "CORS".
    for origin in (
        "https://evil.example.test",
        "null",
        f"{SHOP}.evil.test",
        "http://shop.example.test",
    ):
        answer = await client.post(
            "/v1/events?key=wk_shop", json=pageview(), headers={"Origin": origin}
        )
        assert (answer.status_code, code_of(answer)) == (403, "origin_not_allowed")
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert api.log.records == []


async def test_n8_other_endpoints_of_a_page_warn_too(client: httpx.AsyncClient) -> None:
    evil = {"Origin": "https://evil.example.test"}
    answer = await client.get("/v1/profile?key=wk_shop&visitorId=v", headers=evil)
    assert (answer.status_code, code_of(answer)) == (403, "origin_not_allowed")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


async def test_no_origin_is_a_server(client: httpx.AsyncClient) -> None:
    assert (await client.post("/v1/events?key=wk_shop", json=pageview())).status_code == 202


async def test_errors_can_be_read_by_the_page(client: httpx.AsyncClient) -> None:
    answer = await client.post(EVENTS_URL, content=b"{", headers={"Origin": SHOP})
    assert answer.status_code == 422
    assert answer.headers["Access-Control-Allow-Origin"] == SHOP


async def test_preflight(client: httpx.AsyncClient) -> None:
    asks = {"Origin": SHOP, "Access-Control-Request-Method": "POST"}
    for query in ("", "?key=wk_shop"):
        answer = await client.options(f"/v1/events{query}", headers=asks)
        assert answer.status_code == 204
        assert answer.headers["Access-Control-Allow-Origin"] == SHOP
        assert answer.headers["Access-Control-Allow-Methods"] == "POST"
        assert answer.headers["Access-Control-Allow-Headers"] == (
            "content-type, content-encoding, x-write-key"
        )
    asks["Origin"] = "https://evil.example.test"
    assert (await client.options("/v1/events?key=wk_shop", headers=asks)).status_code == 403


async def test_other_methods_are_not_allowed(client: httpx.AsyncClient) -> None:
    answer = await client.get(EVENTS_URL)
    assert (answer.status_code, code_of(answer)) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "POST, OPTIONS"
    answer = await client.get(EVENTS_URL, headers={"Origin": SHOP})
    assert "access-control-allow-origin" not in answer.headers


BAD_PROOFS: tuple[dict[str, Any], ...] = (
    {},
    {"loginHash": "0" * 64},
    {"loginHash": 7},
    {"loginHash": "é"},
)


async def identify(client: httpx.AsyncClient, key: str, **data: Any) -> Any:
    body = {"type": "identify", "visitorId": "v", "data": data}
    answer = await client.post(f"/v1/events?key={key}", json=body)
    assert answer.status_code == 202, answer.text
    return answer.json()


async def test_a6_unproven_login_is_left_out_and_warned_of(
    client: httpx.AsyncClient, api: Api
) -> None:
    before = warned("proof")
    for bad in BAD_PROOFS:
        body = await identify(client, "wk_proof", login="eva", email="eva@example.test", **bad)
        (warning,) = body.pop("warnings")
        assert body == {"accepted": 1, "rejected": []}
        assert "eva" not in warning.pop("message")
        assert warning == {"index": 0, "field": "data.login", "code": "login_unproven"}
        data = api.log.events[-1].data
        claimed = data.pop("claimed")
        assert data == {"email": "eva@example.test", "proven": False}
        assert len(claimed) == 32 and "eva" not in claimed
    assert warned("proof") == before + len(BAD_PROOFS)


async def test_a6_ingest_marks_what_is_proven(client: httpx.AsyncClient, api: Api) -> None:
    # A sender's own claim of a proof is dropped; a server's key is proof.
    body = await identify(
        client, "wk_proof", login="eva", loginHash=LOGIN_HASH.upper(), proven=False
    )
    assert (body["accepted"], body["rejected"]) == (1, [])
    assert [one["field"] for one in body["warnings"]] == ["data.proven"]
    await identify(client, "wk_proof", email="eva@example.test", proven=True, claimed="x")
    await identify(client, "sk_proof", login="eva", proven=False)
    await identify(client, "wk_optional", login="eva", proven=True)
    await identify(client, "wk_optional", login="eva", loginHash=LOGIN_HASH)
    assert [event.data for event in api.log.events] == [
        {"login": "eva", "proven": True},
        {"email": "eva@example.test", "proven": False},
        {"login": "eva", "proven": True},
        {"login": "eva", "proven": False},
        {"login": "eva", "proven": True},
    ]


async def test_a6_answer_has_at_most_a_hundred_warnings(client: httpx.AsyncClient) -> None:
    events = [
        {"type": "identify", "visitorId": f"v{n}", "data": {"login": "eva"}} for n in range(120)
    ]
    body = (await client.post("/v1/events?key=wk_proof", json=events)).json()
    assert body["accepted"] == 120
    assert [warning["index"] for warning in body["warnings"]] == list(range(100))


def warned(app: str) -> float:
    name, labels = "carillon_ingest_warnings_total", {"app": app, "code": "login_unproven"}
    return REGISTRY.get_sample_value(name, labels) or 0


@pytest.mark.parametrize(
    "secret",
    [None, Vault("another key, thirty-two characters").encrypt("s")],
    ids=["none", "foreign"],
)
async def test_without_a_readable_secret_nobody_proves_anything(
    client: httpx.AsyncClient, api: Api, secret: str | None
) -> None:
    api.apps.take([app("bare", loginHash={"required": True, "secret": secret})])
    login = {"type": "identify", "visitorId": "v", "data": {"login": "eva", "loginHash": "0" * 64}}
    page = {"type": "pageview", "visitorId": "v"}
    answer = await client.post("/v1/events?key=wk_bare", json=[login, page])
    assert answer.status_code == 202
    assert [w["code"] for w in answer.json()["warnings"]] == ["login_unproven"]
    assert [event.type for event in api.log.events] == ["identify", "pageview"]
    assert "login" not in api.log.events[0].data
