"""The ops API's door: who gets in, what strangers see, and the one shape of every error."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import httpx
import pytest

from shared.service import serve
from shared.settings import HttpSettings
from tests.contract.sender.conftest import Api, a_trigger, client
from tests.support.stack import eventually

ROUTES = ["/v1/apps", "/v1/apps/demo", "/v1/apps/demo/campaigns", "/v1/sends/x", "/v1/dead-letters"]


def _check_error(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["code"]) == (status, code), answer.text
    assert body.keys() == {"code", "message", "errors"} and body["message"]
    for error in body["errors"]:
        assert error.keys() == {"field", "code", "message"}
    return body


@pytest.mark.parametrize("path", ROUTES)
async def test_without_a_token_nobody_gets_in(api: Api, path: str) -> None:
    async with client(api.sender) as http:
        answer = await http.get(path)
    _check_error(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "header",
    [b"Bearer wrong", b"Bearer", b"Bearer ", b"ops_demo", b"Basic ops_demo", b"Bearer ops_demo x",
     b"Bearer ops_demo2", "Bearer tökén".encode(), b"Bearer \xff\xfe", b"", b"Bearer OPS_DEMO"],
)  # fmt: skip
async def test_wrong_tokens_are_refused(api: Api, header: bytes) -> None:
    async with client(api.sender) as http:
        answer = await http.get("/v1/apps", headers={b"authorization": header})
    _check_error(answer, 401, "unauthorized")


async def test_scheme_is_written_as_anybody_likes(api: Api) -> None:
    async with client(api.sender, Authorization="bearer ops_demo") as http:
        assert (await http.get("/v1/apps")).status_code == 200


async def test_unknown_paths_and_methods(api: Api) -> None:
    _check_error(await api.call("GET", "/v1/nothing"), 404, "not_found")
    _check_error(await api.call("DELETE", "/v1/apps"), 405, "method_not_allowed")
    _check_error(await api.call("GET", "/v1/apps/nobody"), 404, "unknown_app")
    _check_error(await api.call("GET", "/v1/sends/nothing"), 404, "unknown_send")


async def test_bodies_that_are_none(shop: Api) -> None:
    for body in (b"", b"{", b"\xff", b"[]", b"null", b'{"id": NaN}'):
        answer = await shop.call("POST", "/v1/sends", content=body)
        assert answer.status_code == 422, body
        assert answer.json().keys() == {"code", "message", "errors"}
        answer = await shop.call("PUT", "/v1/apps/demo", content=body)
        assert answer.status_code == 422, body


async def test_too_large_is_reported(shop: Api) -> None:
    huge = a_trigger(variables={"pad": "x" * (1024 * 1024)})
    _check_error(await shop.call("POST", "/v1/sends", json=huge), 413, "trigger_too_large")
    assert (await shop.call("GET", f"/v1/sends/{huge['id']}")).status_code == 404


async def test_metrics_and_docs_are_private(api: Api) -> None:
    for path in ("/metrics", "/docs", "/openapi.json"):
        async with client(api.sender, "8.8.8.8") as http:
            answer = await http.get(path, headers={"X-Forwarded-For": "127.0.0.1"})
        _check_error(answer, 404, "not_found")
        async with client(api.sender) as http:
            assert (await http.get(path)).status_code == 200


async def test_health_needs_no_token(api: Api) -> None:
    async with client(api.sender, "8.8.8.8") as http:
        assert (await http.get("/health/live")).status_code == 200
        assert (await http.get("/health/ready")).json()["status"] == "ready"


async def test_served_over_a_socket_and_ended_in_order(api: Api) -> None:
    stop, listener = asyncio.Event(), socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    serving = asyncio.create_task(
        serve(api.sender.api(), listener, stop, HttpSettings(drain_seconds=5))
    )
    async with httpx.AsyncClient(base_url=address) as http:
        answer = await http.get("/v1/apps", headers={"Authorization": "Bearer ops_demo"})
        assert answer.json() == {"items": []}
        assert "server" not in answer.headers
    stop.set()
    await eventually(serving.done, 5)
    await serving
