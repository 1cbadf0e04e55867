"""What every public endpoint does at its door: method, key, origin, body cap, errors, CORS.

Plain ASGI, because the events endpoint is the hot route: no framework between socket and collector.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qs

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from shared import metrics
from shared.errors import CarillonError, Forbidden, InvalidPayload, Rejected, TooLarge
from shared.http import error_body, error_response, json_response
from shared.models.app import App

PREFLIGHT_SECONDS = "86400"


class UnsupportedMediaType(Rejected):
    code = "unsupported_media_type"
    status = 415


class Disconnected(Exception):
    """The client went away while its body was read: there is nobody to answer."""


@dataclass(frozen=True)
class Call:
    """A request, as lean as can be."""

    scope: Scope
    receive: Receive

    def header(self, name: bytes) -> str | None:
        for key, value in self.scope["headers"]:
            if key == name:
                return str(value.decode("latin-1"))
        return None

    @property
    def origin(self) -> str | None:
        return self.header(b"origin")

    def query(self, name: str) -> str | None:
        found = parse_qs(self.scope["query_string"].decode("latin-1")).get(name)
        return found[0] if found else None

    def path(self, name: str) -> str:
        return str(self.scope["path_params"][name])

    async def body(self, limit: int) -> bytes:
        """The body, refused as soon as it is known to be too large. Raises TooLarge."""
        declared = self.header(b"content-length")
        if declared is not None and declared.isdigit() and int(declared) > limit:
            raise TooLarge(f"the body is larger than {limit} bytes")
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > limit:
                raise TooLarge(f"the body is larger than {limit} bytes")
            chunks.append(chunk)
            if not message.get("more_body", False):
                return chunks[0] if len(chunks) == 1 else b"".join(chunks)


class Handler(Protocol):
    """An endpoint's own part. May raise any CarillonError."""

    method: str
    headers: str  # request headers that a browser may send

    async def preflight(self, call: Call) -> None:
        """Raises Forbidden where the origin must not call."""

    async def answer(self, call: Call) -> Response: ...


class Door:
    """A Handler as an ASGI endpoint."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = Call(scope, receive)
        try:
            response = await self._respond(call)
        except Disconnected:
            return
        except CarillonError as exc:
            if not isinstance(exc, InvalidPayload):  # those are counted event by event
                metrics.EVENTS_REJECTED.labels(exc.code).inc()
            response = error_response(exc)
            if not isinstance(exc, Forbidden):
                allow_origin(call, response)
        await response(scope, receive, send)

    async def _respond(self, call: Call) -> Response:
        method = call.scope["method"]
        if method == self._handler.method:
            response = await self._handler.answer(call)
        elif method == "OPTIONS":
            await self._handler.preflight(call)
            response = Response(
                status_code=204,
                headers={
                    "Access-Control-Allow-Methods": self._handler.method,
                    "Access-Control-Allow-Headers": self._handler.headers,
                    "Access-Control-Max-Age": PREFLIGHT_SECONDS,
                },
            )
            allow_origin(call, response, default="*")
        else:
            return json_response(
                error_body("method_not_allowed", "Method Not Allowed"),
                405,
                {"Allow": f"{self._handler.method}, OPTIONS"},
            )
        allow_origin(call, response)
        return response


def allow_origin(call: Call, response: Response, default: str | None = None) -> None:
    """Let the calling page read the answer. There are no cookies, so nothing else is given away."""
    origin = call.origin or default
    if origin is not None:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Vary"] = "Origin"


def check_origin(call: Call, app: App) -> None:
    """Raises Forbidden where the app names its origins and this is another one."""
    origin = call.origin
    if origin is None or not app.origins:
        return
    if origin.lower() not in (allowed.rstrip("/").lower() for allowed in app.origins):
        raise Forbidden("this origin may not use this key", code="origin_not_allowed")
