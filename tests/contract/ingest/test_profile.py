"""GET /v1/profile and what operators ask."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.support.ingest_api import EMPTY, SHOP, Api

URL = "/v1/profile?key=wk_shop&visitorId=v1"
DB = {"oneSignal": {"playerID": "p"}, "affinityToOneSignalPlayerID": ["p"]}


async def test_known_visitor(client: httpx.AsyncClient, api: Api) -> None:
    api.views.known["shop", "v1"] = DB
    answer = await client.get(URL, headers={"Origin": SHOP})
    assert (answer.status_code, answer.json()) == (200, {"visitorId": "v1", "db": DB})
    assert answer.headers["Access-Control-Allow-Origin"] == SHOP
    assert answer.headers["Cache-Control"] == "no-store"


async def test_unknown_visitor_and_another_app(client: httpx.AsyncClient, api: Api) -> None:
    api.views.known["shop", "v1"] = DB
    for url in (URL.replace("v1&", "").replace("=v1", "=v2"), URL.replace("wk_shop", "wk_open")):
        answer = await client.get(url)
        assert answer.status_code == 200
        assert answer.json()["db"] == EMPTY


@pytest.mark.parametrize("visitor", ["", "a b", "a" * 65, "%00", "v1%0A"])
async def test_not_a_visitor_id(client: httpx.AsyncClient, visitor: str) -> None:
    answer = await client.get(f"/v1/profile?key=wk_open&visitorId={visitor}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "visitorId"


async def test_refusals(client: httpx.AsyncClient, api: Api) -> None:
    assert (await client.get("/v1/profile?visitorId=v1")).status_code == 401
    assert (await client.get("/v1/profile?key=wk_shop")).status_code == 422
    answer = await client.get(URL, headers={"Origin": "https://evil.example.test"})
    assert (answer.status_code, answer.json()["code"]) == (403, "origin_not_allowed")
    assert (await client.post(URL)).status_code == 405
    api.views.away = True
    answer = await client.get(URL)
    assert (answer.status_code, answer.json()["code"]) == (503, "mongo_unavailable")
    assert int(answer.headers["Retry-After"]) > 0


async def test_database_that_hangs_is_reported_within_a_second(
    client: httpx.AsyncClient, api: Api
) -> None:
    api.views.hangs = True
    async with asyncio.timeout(1):
        answer = await client.get(URL)
    assert (answer.status_code, answer.json()["code"]) == (503, "mongo_unavailable")


async def test_preflight(client: httpx.AsyncClient) -> None:
    answer = await client.options(URL, headers={"Origin": SHOP})
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Methods"] == "GET"


async def test_health_states_what_is_wrong(client: httpx.AsyncClient, api: Api) -> None:
    kafka = api.health.component("kafka", deadline_seconds=60, critical=True)
    mongo = api.health.component("mongodb", deadline_seconds=60)
    assert (await client.get("/health/live")).status_code == 200
    assert (await client.get("/health/ready")).status_code == 503
    kafka.beat()
    answer = await client.get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    mongo.beat()
    assert (await client.get("/health/ready")).json()["status"] == "ready"


async def test_documents_name_every_endpoint(client: httpx.AsyncClient) -> None:
    schema = (await client.get("/openapi.json")).json()
    assert {path: sorted(methods) for path, methods in schema["paths"].items()} == {
        "/v1/events": ["post"],
        "/v1/webhooks/onesignal/{webhook_key}": ["post"],
        "/v1/webhooks/onesignal/{webhook_key}/stream": ["post"],
        "/v1/check": ["post"],
        "/v1/profile": ["get"],
        "/v1/snippet.js": ["get"],
        "/{key}/{environment}/persoo.js": ["get"],
        "/{key}/{environment}/actions.js": ["get"],
        "/health/live": ["get"],
        "/health/ready": ["get"],
        "/metrics": ["get"],
    }
    assert (await client.get("/docs")).status_code == 200


async def test_answers_stay_out_of_caches(client: httpx.AsyncClient) -> None:
    for path in (URL, "/v1/profile", "/v1/nothing", "/health/ready", "/docs", "/openapi.json"):
        answer = await client.get(path)
        assert answer.headers["cache-control"] == "no-store", path
        assert answer.headers["x-content-type-options"] == "nosniff", path
    script = await client.get("/v1/snippet.js?key=wk_shop")
    assert "max-age" in script.headers["cache-control"]  # a route's own stays


async def test_no_redirect_leads_to_the_host_that_was_named(client: httpx.AsyncClient) -> None:
    for path in ("/health/live/", "/v1/profile/", "/v1/events/", "/docs/"):
        answer = await client.get(path, headers={"Host": "evil.example"})
        assert answer.status_code == 404 and "location" not in answer.headers


async def test_docs_work_without_anybody_else(client: httpx.AsyncClient) -> None:
    page = (await client.get("/docs")).text
    assert "<script" not in page and "//" not in page.replace("https://", "")
    assert "<b>POST</b> <code>/v1/events</code>" in page


async def test_metrics_and_docs_are_private(api: Api) -> None:
    async with api.client("8.8.8.8") as stranger:
        for path in ("/metrics", "/docs", "/openapi.json"):
            answer = await stranger.get(path)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert (await stranger.get("/health/ready")).status_code == 200


async def test_unknown_path_has_the_one_error_body(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/nothing")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
