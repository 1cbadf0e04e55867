"""HTTP parts of both services: error bodies, health, metrics, private paths."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from shared import metrics
from shared.errors import CarillonError, FieldError, Unavailable
from shared.health import Health
from shared.http.heads import header_values
from shared.models.health import LiveResponse, ReadyResponse
from shared.models.strict import MAX_FINDINGS, to_error

log = logging.getLogger("carillon.http")

PRIVATE_PATHS = frozenset({"/metrics", "/docs", "/redoc", "/openapi.json"})

FORWARDED_FOR = b"x-forwarded-for"  # the header that is read
# Headers that proxies add; the first group names the client. Any of them shows a forwarded request.
_FORWARDED_FOR = frozenset({
    b"x-forwarded-for", b"forwarded", b"x-real-ip", b"x-client-ip", b"x-cluster-client-ip",
    b"true-client-ip", b"cf-connecting-ip", b"fastly-client-ip", b"x-original-forwarded-for",
})  # fmt: skip
_FORWARDED = frozenset({*_FORWARDED_FOR, b"via"})
_FORWARDED_PREFIX = b"x-forwarded"

ADDRESS_CACHE_SIZE = 10_000
UNKNOWN_CLIENT = "unknown"
NETWORK_BITS = 64  # of an IPv6 address: what one household or server has to itself

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def error_body(code: str, message: str, errors: Sequence[FieldError] = ()) -> dict[str, Any]:
    """Return the one shape of errors: `{"code", "message", "errors": [{"field", "code", "message"}]}`."""
    return {
        "code": code,
        "message": message,
        "errors": [{"field": e.field, "code": e.code, "message": e.message} for e in errors],
    }


def json_response(
    body: object, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    return Response(
        orjson.dumps(body, default=str), status, headers=headers, media_type="application/json"
    )


def error_response(error: CarillonError) -> Response:
    headers = {}
    if isinstance(error, Unavailable):
        headers["Retry-After"] = str(error.retry_after_seconds)
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return json_response(error_body(error.code, error.message, error.errors), error.status, headers)


async def _on_carillon_error(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, CarillonError)
    return error_response(exc)


async def _on_validation_error(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, RequestValidationError)
    found = [to_error(dict(e), None) for e in exc.errors()[:MAX_FINDINGS]]
    first = f"{found[0].field}: {found[0].message}" if found else "invalid request"
    return json_response(error_body("invalid", first, found), 422)


async def _on_mistake(_: Request, exc: Exception) -> Response:
    """Answer 500 for a mistake of ours."""
    # Logged without its text, which may hold personal data.
    log.error("request failed", exc_info=exc)
    return json_response(error_body("internal", "the request failed: a mistake of ours"), 500)


async def _on_http_exception(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    codes = {404: "not_found", 405: "method_not_allowed"}
    code = codes.get(exc.status_code, "http_error")
    headers = dict(exc.headers or {})
    return json_response(error_body(code, str(exc.detail)), exc.status_code, headers)


def add_error_handlers(app: FastAPI) -> None:
    app.add_exception_handler(CarillonError, _on_carillon_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(Exception, _on_mistake)


def add_ops_routes(app: FastAPI, health: Health) -> None:
    """Add `/health/live`, `/health/ready` and `/metrics`."""

    @app.head("/health/live", include_in_schema=False)
    @app.get("/health/live", tags=["health"], response_model=LiveResponse)
    async def live() -> Response:
        """Return 503 when a loop has stalled: only a restart helps."""
        return json_response(
            {"status": "live" if health.alive else "stalled"}, 200 if health.alive else 503
        )

    @app.head("/health/ready", include_in_schema=False)
    @app.get("/health/ready", tags=["health"], response_model=ReadyResponse)
    async def ready() -> Response:
        """Return the state of each dependency, and since when."""
        is_ready, body = health.report()
        return json_response(body, 200 if is_ready else 503)

    @app.get("/metrics", tags=["health"])
    async def prometheus() -> Response:
        return Response(metrics.render(), media_type=metrics.CONTENT_TYPE)


def client_address(scope: Scope, trusted: Sequence[Network]) -> str:
    """Return the address a request came from."""
    return origin_address(scope, header_values(scope["headers"], FORWARDED_FOR), trusted)


def origin_address(scope: Scope, forwarded: Sequence[bytes], trusted: Sequence[Network]) -> str:
    """Return the address a request came from, given the values of FORWARDED_FOR.

    Those values are believed of trusted proxies only.
    """
    client = scope.get("client")
    address = str(client[0]) if client else ""
    if not forwarded:
        return address
    text = b",".join(forwarded).decode("latin-1")
    hops = [hop.strip() for hop in text.split(",") if hop.strip()]
    while hops and is_within(address, trusted):
        address = _bare(hops.pop())
    return address


def is_private_client(scope: Scope, trusted: Sequence[Network]) -> bool:
    """Check that a request comes from a private address, and from no one behind it.

    What was forwarded by a peer that isn't trusted may come from anywhere, so it is public. So is
    what a trusted one forwards without naming the client in X-Forwarded-For, which alone is read.
    """
    names = {name for name, _ in scope["headers"]}
    client = scope.get("client")
    if not is_within(str(client[0]) if client else "", trusted):
        is_public = any(n in _FORWARDED or n.startswith(_FORWARDED_PREFIX) for n in names)
    else:
        is_public = b"x-forwarded-for" not in names and not names.isdisjoint(_FORWARDED_FOR)
    return not is_public and is_private(client_address(scope, trusted))


def _bare(hop: str) -> str:
    """Return the address without the port that some proxies add: `8.8.8.8:4711`, `[2001:db8::1]:443`."""
    hop = hop.strip('"')
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


@lru_cache(ADDRESS_CACHE_SIZE)
def rate_limit_key(address: str) -> str | None:
    """Return the key under which an address is limited; None for private addresses."""
    # A private address is our own, or that of a proxy that no setting names.
    if is_private(address):
        return None
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:  # a proxy's "unknown", or whatever else: all of them together are one
        return UNKNOWN_CLIENT if address else None
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is None:
        return str(ipaddress.ip_network((ip, NETWORK_BITS), strict=False))
    return address


def is_within(address: str, networks: Sequence[Network]) -> bool:
    ip = _parse(address)
    return ip is not None and any(ip in network for network in networks)


def is_private(address: str) -> bool:
    ip = _parse(address)
    return ip is not None and (ip.is_private or ip.is_loopback)


@lru_cache(ADDRESS_CACHE_SIZE)
def _parse(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address, None if it isn't one. A dual-stack socket's `::ffff:10.0.0.1` is 10.0.0.1."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return None
    return getattr(ip, "ipv4_mapped", None) or ip


class PrivatePaths:
    """Answers 404 for metrics and docs to public clients, unless a setting opened them."""

    def __init__(self, app: ASGIApp, *, trusted_proxies: Sequence[str], opened: bool) -> None:
        self._app = app
        self._trusted = [ipaddress.ip_network(net, strict=False) for net in trusted_proxies]
        self._opened = opened

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_closed = scope["type"] == "http" and scope["path"] in PRIVATE_PATHS and not self._opened
        if is_closed and not is_private_client(scope, self._trusted):
            refusal = json_response(error_body("not_found", "Not Found"), 404)
            return await refusal(scope, receive, send)
        return await self._app(scope, receive, send)
