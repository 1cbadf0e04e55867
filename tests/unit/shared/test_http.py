"""The HTTP face of both services: one shape of errors, and who may see what."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Sequence
from typing import Annotated

import httpx
import pytest
from fastapi import FastAPI, Query

from shared.errors import Conflict, FieldError, StoreUnavailable, Unauthorized
from shared.health import Health
from shared.http.responses import (
    PRIVATE_PATHS,
    PrivatePaths,
    add_error_handlers,
    add_ops_routes,
    client_address,
    is_private,
)
from tests.support.clocks import ManualClock

PROXIES = [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8")]
SECRET = "jane@shop.example"


def _address(client: str | None, *forwarded: str) -> str:
    headers = [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded]
    scope = {"client": (client, 1) if client else None, "headers": headers}
    return client_address(scope, PROXIES)


@pytest.mark.parametrize(
    ("client", "forwarded", "address"),
    [
        ("8.8.8.8", [], "8.8.8.8"),
        ("8.8.8.8", ["127.0.0.1"], "8.8.8.8"),  # a stranger's word
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["8.8.8.8"], "8.8.8.8"),
        ("10.0.0.1", ["127.0.0.1, 8.8.8.8"], "8.8.8.8"),  # what the stranger had said before
        ("10.0.0.1", ["127.0.0.1", "8.8.8.8, 10.0.0.2"], "8.8.8.8"),
        ("10.0.0.1", ["8.8.8.8, 10.0.0.2,"], "8.8.8.8"),
        ("10.0.0.1", ["10.0.0.3"], "10.0.0.3"),
        ("::ffff:10.0.0.1", ["8.8.8.8"], "8.8.8.8"),
        ("fd00::1", ["2001:4860::1"], "2001:4860::1"),
        ("10.0.0.1", ["garbage, nonsense"], "nonsense"),
        ("10.0.0.1", ["127.0.0.1, 8.8.8.8:4711"], "8.8.8.8"),  # some proxies tell the port
        ("10.0.0.1", ["8.8.8.8, 10.0.0.2:80"], "8.8.8.8"),
        ("10.0.0.1", ["[2001:4860::1]:443"], "2001:4860::1"),
        ("10.0.0.1", ['"[2001:4860::1]"'], "2001:4860::1"),
        (None, ["127.0.0.1"], ""),
    ],
)
def test_forwarded_is_believed_of_trusted_proxies(
    client: str | None, forwarded: Sequence[str], address: str
) -> None:
    assert _address(client, *forwarded) == address


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.1.2.3", "192.168.0.9", "::1", "fd00::1", "::ffff:10.0.0.1"]
)
def test_private_addresses(address: str) -> None:
    assert is_private(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2001:4860::1", "", "x", "::ffff:8.8.8.8", "localhost"]
)
def test_public_or_no_addresses(address: str) -> None:
    assert not is_private(address)


def _app(*, opened: bool = False) -> FastAPI:
    app = FastAPI()
    add_error_handlers(app)
    clock = ManualClock()
    add_ops_routes(app, Health(clock, clock.monotonic))

    @app.get("/conflict")
    async def conflict() -> None:
        raise Conflict("not so", code="send_ended", errors=[FieldError("a.b", "c", "m")])

    @app.get("/away")
    async def away() -> None:
        raise StoreUnavailable("MongoDB: AutoReconnect")

    @app.get("/who")
    async def who() -> None:
        raise Unauthorized("a token")

    @app.get("/mistake")
    async def mistake() -> None:
        raise KeyError(SECRET)

    @app.get("/number")
    async def number(n: Annotated[int, Query(ge=1)]) -> int:
        return n

    app.add_middleware(PrivatePaths, trusted_proxies=["10.0.0.0/8"], opened=opened)
    return app


def _client(app: FastAPI, address: str = "127.0.0.1") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://test")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [("/conflict", 409, "send_ended"), ("/away", 503, "mongo_unavailable"), ("/who", 401, "unauthorized"),
     ("/nowhere", 404, "not_found"), ("/number?n=0", 422, "invalid"), ("/number?n=x", 422, "invalid"),
     ("/mistake", 500, "internal")],
)  # fmt: skip
async def test_errors_have_one_shape(path: str, status: int, code: str) -> None:
    async with _client(_app()) as http:
        answer = await http.get(path)
    assert answer.status_code == status
    assert answer.json().keys() == {"code", "message", "errors"}
    assert answer.json()["code"] == code
    for error in answer.json()["errors"]:
        assert error.keys() == {"field", "code", "message"}


async def test_method_not_allowed_names_those_that_are() -> None:
    async with _client(_app()) as http:
        answer = await http.post("/conflict")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET"


async def test_headers_of_refusals() -> None:
    async with _client(_app()) as http:
        assert int((await http.get("/away")).headers["retry-after"]) >= 1
        assert (await http.get("/who")).headers["www-authenticate"] == "Bearer"


async def test_mistake_is_logged_and_reveals_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "carillon.http"):
        async with _client(_app()) as http:
            answer = await http.get("/mistake")
    assert SECRET not in answer.text
    assert [(r.name, r.message) for r in caplog.records] == [("carillon.http", "request failed")]
    assert caplog.records[0].exc_info is not None


@pytest.mark.parametrize("path", sorted(PRIVATE_PATHS))
async def test_private_paths_hide_from_strangers(path: str) -> None:
    async with _client(_app(), "8.8.8.8") as http:
        answer = await http.get(path, headers={"X-Forwarded-For": "127.0.0.1"})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    async with _client(_app(), "10.0.0.1") as http:
        answer = await http.get(path, headers={"X-Forwarded-For": "8.8.8.8"})
        assert answer.status_code == 404
        assert (await http.get(path)).status_code == 200
    async with _client(_app(opened=True), "8.8.8.8") as http:
        assert (await http.get(path)).status_code == 200


FORWARDED = [
    ("X-Forwarded-For", "8.8.8.8"),
    ("X-Forwarded-For", "10.0.0.7"),  # nobody's word that we believe
    ("X-Forwarded-For", ""),
    ("Forwarded", "for=10.0.0.7"),
    ("X-Real-IP", "10.0.0.7"),
    ("True-Client-IP", "8.8.8.8"),
    ("CF-Connecting-IP", "8.8.8.8"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "shop.example"),
    ("Via", "1.1 proxy"),
]


@pytest.mark.parametrize("path", sorted(PRIVATE_PATHS))
@pytest.mark.parametrize("header", FORWARDED)
async def test_b9_what_an_unlisted_proxy_forwards_is_public(
    path: str, header: tuple[str, str]
) -> None:
    for proxy in ("192.168.1.1", "127.0.0.1", "::1", "::ffff:172.16.0.1"):
        async with _client(_app(), proxy) as http:
            answer = await http.get(path, headers=[header])
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
            assert (await http.get(path)).status_code == 200  # by itself it may


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (("X-Forwarded-For", "8.8.8.8"), 404),
        (("X-Forwarded-For", "10.0.0.7"), 200),
        (("X-Forwarded-For", "192.168.1.7"), 200),
        (("X-Forwarded-For", "8.8.8.8, 10.0.0.7"), 404),
        (("X-Forwarded-For", "10.0.0.7, 8.8.8.8"), 404),
        (("X-Forwarded-For", "unknown"), 404),
        (("X-Forwarded-For", ""), 200),  # for itself: it names nobody
        (("X-Real-IP", "10.0.0.7"), 404),  # says for whom, in a header that isn't read
        (("Forwarded", "for=10.0.0.7"), 404),
        (("X-Forwarded-Proto", "https"), 200),  # says for whom nowhere: its own, as of a sidecar
    ],
)
async def test_b9_listed_proxies_are_believed(header: tuple[str, str], status: int) -> None:
    async with _client(_app(), "10.0.0.1") as http:
        assert (await http.get("/metrics", headers=[header])).status_code == status


async def test_b9_a_public_peer_stays_public_whatever_it_sends() -> None:
    async with _client(_app(), "8.8.8.8") as http:
        for header in FORWARDED:
            assert (await http.get("/metrics", headers=[header])).status_code == 404


async def test_f13_health_answers_head() -> None:
    async with _client(_app()) as http:
        for path in ("/health/live", "/health/ready"):
            assert (await http.head(path)).status_code == 200
            assert (await http.post(path)).status_code == 405


async def test_health_is_open_to_everyone() -> None:
    async with _client(_app(), "8.8.8.8") as http:
        assert (await http.get("/health/live")).json() == {"status": "live"}
        assert (await http.get("/health/ready")).json()["status"] == "ready"
