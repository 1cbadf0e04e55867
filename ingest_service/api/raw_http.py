"""Responses of plain ASGI: the hot route uses no response object of a framework."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import orjson
from starlette.types import Send

from ingest_service.collect.collector import Receipt
from shared.errors import CarillonError
from shared.http.responses import error_response
from shared.models.strict import MAX_FINDINGS

JSON = (b"content-type", b"application/json")


@dataclass(slots=True)
class RawResponse:
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
        """Let the calling page read the response."""
        # There are no cookies, so no other data is exposed.
        self.headers += ((b"access-control-allow-origin", origin), (b"vary", b"Origin"))
        if self.status in (429, 503):  # pages wait as long as it says
            self.headers.append((b"access-control-expose-headers", b"Retry-After"))


def raw_json_response(
    body: object, status: int, headers: Mapping[str, str] | None = None
) -> RawResponse:
    extra = [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()]
    return RawResponse(status, orjson.dumps(body), [JSON, *extra])


def accepted_response(
    accepted: int,
    rejected: Sequence[Mapping[str, object]] = (),
    warnings: Sequence[Mapping[str, object]] = (),
) -> RawResponse:
    """Return a 202: `{"accepted", "rejected": [{"index", "code", "message"}]}`.

    `warnings` lists fields that were left out: `[{"index", "field", "code", "message"}]`.
    `rejectedMore` and `warningsMore` count the items beyond the listed ones.
    """
    if not rejected and not warnings:
        return RawResponse(202, b'{"accepted":%d,"rejected":[]}' % accepted, [JSON])
    body: dict[str, object] = {"accepted": accepted, "rejected": rejected[:MAX_FINDINGS]}
    if warnings:
        body["warnings"] = warnings[:MAX_FINDINGS]
    for name, found in (("rejectedMore", rejected), ("warningsMore", warnings)):
        if len(found) > MAX_FINDINGS:
            body[name] = len(found) - MAX_FINDINGS
    return raw_json_response(body, 202)


def receipt_response(receipt: Receipt) -> RawResponse:
    return accepted_response(
        receipt.accepted,
        [one.report() for one in receipt.rejected],
        [one.report() for one in receipt.warnings],
    )


def raw_error_response(error: CarillonError) -> RawResponse:
    response = error_response(error)
    headers = [pair for pair in response.raw_headers if pair[0] != b"content-length"]
    return RawResponse(response.status_code, bytes(response.body), headers)
