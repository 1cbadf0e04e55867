"""The base of every public endpoint: method, body limit, errors, CORS.

Plain ASGI, because the events endpoint is the hot route: no framework between socket and collector.
"""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import Protocol
from urllib.parse import parse_qs

from starlette.types import Receive, Scope, Send

from ingest_service.api.bodies import Disconnected, check_head, read_body, unpack
from ingest_service.api.rate_limits import RequestCharge
from ingest_service.api.raw_http import RawResponse, raw_error_response, raw_json_response
from shared import metrics
from shared.errors import CarillonError, Forbidden, InvalidPayload, TooLarge
from shared.http.responses import error_body

log = logging.getLogger("carillon.http")

PREFLIGHT_SECONDS = "86400"
SHORT_QUERY = 256  # a key and little else: the same for all of a shop's visitors


class RawRequest:
    """A request, as lean as can be."""

    __slots__ = ("headers", "receive", "scope")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope = scope
        self.receive = receive
        self.headers: dict[bytes, bytes] = dict(scope["headers"])

    def header(self, name: bytes) -> str | None:
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    @property
    def origin(self) -> str | None:
        return self.header(b"origin")

    def query(self, name: str) -> str | None:
        text: bytes = self.scope["query_string"]
        found = _known_query(text) if len(text) <= SHORT_QUERY else _query(text)
        return found.get(name)

    def path(self, name: str) -> str:
        return str(self.scope["path_params"][name])

    async def body(self, charge: RequestCharge, limit: int) -> bytes:
        """Read and unpack the body, and charge for it before it is parsed.

        Raises RateLimited, TooLarge, InvalidPayload, UnsupportedMediaType, Disconnected.
        """
        get = self.headers.get
        is_packed = check_head(get(b"content-length"), get(b"content-encoding"), limit)
        try:
            body = await read_body(self.receive, limit)
            if is_packed:
                charge.check()  # others of this address may have come in since its head did
                body = unpack(body, limit)
        except TooLarge:
            charge.pay_for_reading(limit)
            raise
        charge.pay_for_body(body)
        return body


def _query(text: bytes) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(text.decode("latin-1")).items()}


_known_query = lru_cache(1_024)(_query)


class Handler(Protocol):
    """An endpoint's own part. Raises any CarillonError."""

    method: str
    headers: str  # request headers that a browser may send

    async def preflight(self, request: RawRequest) -> None:
        """Check the origin. Raises Forbidden."""

    async def handle(self, request: RawRequest) -> RawResponse: ...


class Endpoint:
    """ASGI endpoint of a Handler."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = RawRequest(scope, receive)
        origin = request.headers.get(b"origin")
        try:
            if scope["method"] == self._handler.method:
                response = await self._handler.handle(request)
            else:
                response, origin = await self._other_method(request, origin or b"*")
        except Disconnected:
            return
        except CarillonError as exc:
            if not isinstance(exc, InvalidPayload):  # those are counted event by event
                metrics.EVENTS_REJECTED.labels(exc.code).inc()
            response = raw_error_response(exc)
            # Else the page gets a CORS error only.
            if isinstance(exc, Forbidden) and origin is not None:
                origin = b"*"
        except Exception as exc:
            # A mistake of ours: logged without its text, which may be personal.
            log.error("request failed", exc_info=exc)
            response = raw_json_response(
                error_body("internal", "the request failed: a mistake of ours"), 500
            )
        if origin is not None:
            response.allow_origin(origin)
        await response.send(send)

    async def _other_method(
        self, request: RawRequest, origin: bytes
    ) -> tuple[RawResponse, bytes | None]:
        """Return the response to a preflight or a wrong method, and the origin that may read it."""
        method = self._handler.method
        if request.scope["method"] != "OPTIONS":
            body = error_body("method_not_allowed", "Method Not Allowed")
            return raw_json_response(body, 405, {"Allow": f"{method}, OPTIONS"}), None
        await self._handler.preflight(request)
        headers = {
            "Access-Control-Allow-Methods": method,
            "Access-Control-Allow-Headers": self._handler.headers,
            "Access-Control-Max-Age": PREFLIGHT_SECONDS,
        }
        lines = [(k.lower().encode(), v.encode()) for k, v in headers.items()]
        return RawResponse(204, b"", lines), origin
