"""Answers as ASGI sends them: no response object of a framework's on the hot route."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson
from starlette.types import Send

from shared.errors import CarillonError
from shared.http import error_response

JSON = (b"content-type", b"application/json")


@dataclass(slots=True)
class Answer:
    status: int
    body: bytes = b""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)

    async def send(self, send: Send) -> None:
        headers = self.headers
        if self.status != 204:
            headers.append((b"content-length", b"%d" % len(self.body)))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})

    def allow_origin(self, origin: bytes) -> None:
        """Let the calling page read it. There are no cookies, so nothing else is given away."""
        self.headers += ((b"access-control-allow-origin", origin), (b"vary", b"Origin"))
        if self.status in (429, 503):  # pages wait as they are told
            self.headers.append((b"access-control-expose-headers", b"Retry-After"))


def json_answer(body: object, status: int, headers: Mapping[str, str] | None = None) -> Answer:
    extra = [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()]
    return Answer(status, orjson.dumps(body), [JSON, *extra])


def accepted_answer(
    accepted: int,
    rejected: list[dict[str, object]] | None = None,
    warnings: list[dict[str, object]] | None = None,
) -> Answer:
    """Build the 202 `{"accepted", "rejected": [{"index", "code", "message"}]}`.

    Where parts of accepted events were left out, `"warnings": [{"index", "field", "code",
    "message"}]` stands beside it.
    """
    if rejected or warnings:
        found = {"warnings": warnings} if warnings else {}
        return json_answer({"accepted": accepted, "rejected": rejected or [], **found}, 202)
    return Answer(202, b'{"accepted":%d,"rejected":[]}' % accepted, [JSON])


def error_answer(error: CarillonError) -> Answer:
    response = error_response(error)
    headers = [pair for pair in response.raw_headers if pair[0] != b"content-length"]
    return Answer(response.status_code, bytes(response.body), headers)
