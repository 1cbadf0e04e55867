"""Requests and answers of every endpoint: reading, checks, writing."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from deploy.local.sandbox.errors import (
    APP_DISABLED,
    APP_NOT_FOUND,
    INVALID_KEY,
    INVALID_KEY_LEGACY,
    UNAVAILABLE,
    Refusal,
    refuse,
    unreadable_json,
)
from deploy.local.sandbox.faults import Fault, FaultPlan
from deploy.local.sandbox.models import Desk, Json
from deploy.local.sandbox.sandbox import Sandbox

BODY_MAX_BYTES = 8 << 20
JSON_TYPE = "application/json; charset=utf-8"


@dataclass(slots=True)
class Answer:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    media_type: str = JSON_TYPE

    def to_response(self) -> Response:
        headers = {"Content-Type": self.media_type, **self.headers}
        return Response(self.body, self.status, headers)


def json_response(
    body: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    return Answer(status, orjson.dumps(body), dict(headers or {})).to_response()


def refused(refusal: Refusal) -> Answer:
    return Answer(refusal.status, orjson.dumps(refusal.body), refusal.headers)


def faulted(fault: Fault, plan: FaultPlan) -> Answer:
    match fault:
        case "429":
            headers = {"Retry-After": str(plan.retry_after)}
            return Answer(429, b'{"errors":["API rate limit exceeded"]}', headers)
        case "500":
            return Answer(500, b'{"errors":["Internal Server Error"]}')
        case "503_html":
            page = b"<html><body><h1>503 Service Temporarily Unavailable</h1></body></html>"
            return Answer(503, page, media_type="text/html")
        case "empty":
            return Answer(503, b"", media_type="text/plain")
        case _:
            return Answer(503, orjson.dumps({"errors": [UNAVAILABLE]}))


def sandbox_of(request: Request) -> Sandbox:
    sandbox: Sandbox = request.app.state.sandbox
    return sandbox


async def read_object(request: Request, *, default: Json | None = None) -> Json:
    raw = bytearray()
    async for part in request.stream():
        raw += part
        if len(raw) > BODY_MAX_BYTES:
            raise refuse(413, f"The body may be at most {BODY_MAX_BYTES} bytes long")
    if not raw and default is not None:
        return default
    try:
        body = orjson.loads(raw)
    except ValueError as error:
        raise unreadable_json(str(error)) from None
    if not isinstance(body, dict):
        raise unreadable_json("an object is expected")
    return body


def desk_for(request: Request, app_id: object) -> Desk:
    desk = sandbox_of(request).state.desk(app_id)
    if desk is None:
        raise refuse(400, APP_NOT_FOUND)
    return desk


def check_key(request: Request, desk: Desk) -> None:
    """Check the API key. Raises Refusal."""
    # The scheme word (Key, Basic, Bearer) does not matter, as with the real API.
    words = request.headers.get("authorization", "").split()
    if words and words[-1] == desk.app.rest_api_key:
        return
    if request.url.path.startswith("/api/v1/"):
        raise refuse(400, INVALID_KEY_LEGACY)
    raise refuse(403, INVALID_KEY)


def check_enabled(desk: Desk) -> None:
    if desk.app.disabled:
        raise refuse(403, APP_DISABLED)


async def on_refusal(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return refused(error).to_response()


async def on_invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, ValidationError)
    found = error.errors(include_url=False, include_input=False)
    texts = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in found]
    return json_response({"errors": texts}, 400)


async def on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    text = f"{error.detail}: {request.method} {request.url.path}"
    return json_response({"errors": [text]}, error.status_code, error.headers)


async def on_client_gone(_: Request, error: Exception) -> Response:
    assert isinstance(error, ClientDisconnect)
    return Response(status_code=400)  # nobody reads it


async def on_store_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, sqlite3.Error)
    return json_response({"errors": [UNAVAILABLE]}, 503)
