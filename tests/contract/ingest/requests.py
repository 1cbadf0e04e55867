"""Requests that the contract tests of ingest make, and the codes of their answers."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import httpx

from tests.support.ingest_api import TIGHT

EVENTS_URL = "/v1/events?key=wk_open"
PLAYER = "6B2A3C1E-58d4-4b8a-9a61-0f4c1f2a7d10"
LOGIN_HASH = hmac.new(b"hmac secret", b"eva", hashlib.sha256).hexdigest()
VISITOR_ADDRESS = "93.184.216.7"
PROXY_ADDRESS = "10.9.1.1"
ADDRESS_BURST = int(TIGHT.address_burst)


def pageview(**changes: Any) -> dict[str, Any]:
    return {"type": "pageview", "visitorId": "v1", "data": {"itemID": "7"}, **changes}


def nested(levels: int) -> dict[str, Any]:
    return {"in": nested(levels - 1)} if levels else {}


def code_of(answer: httpx.Response) -> str:
    body = answer.json()
    assert set(body) == {"code", "message", "errors"}
    return str(body["code"])


async def post_many(
    client: httpx.AsyncClient, count: int, url: str = EVENTS_URL, **more: str
) -> int:
    body = [pageview() for _ in range(count)]
    return (await client.post(url, json=body, headers=more)).status_code
