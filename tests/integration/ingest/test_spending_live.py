"""One address against a process: it spends its own limit, and nobody waits for it."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import orjson
import pytest

from shared.settings import IngestSettings, Settings
from tests.support import stack
from tests.support.ingest_process import EVENTS, client_of, seed_key, seeded, until

CONNECTIONS = 500
EVENTS_EACH = 500
ATTACKER, NEIGHBOUR = "93.184.216.7", "93.184.216.8"
AT_ONCE = 2.0  # seconds, on a busy machine; 9afda51 let others wait up to 10.5
BODY = gzip.compress(orjson.dumps([{"type": "pageview", "visitorId": "v"}] * EVENTS_EACH))


@pytest.fixture
async def limited(broker: str, mongo_uri: str, tmp_path: Path) -> AsyncIterator[Settings]:
    """Run the service with its default limits behind a local proxy, with two shops; yield its settings."""
    settings = stack.settings_for(broker, mongo_uri, tmp_path)
    http = IngestSettings(port=settings.ingest.port, trusted_proxies=["127.0.0.1"])
    settings = settings.model_copy(update={"ingest": http})
    async with seeded(settings) as database:
        await seed_key(settings, database, "second", "wk_second")
        with stack.service("ingest_service", settings, "--only", "api") as server:
            async with client_of(server) as client:
                await until(client, 200, "ready")
            yield settings


class Connection:
    """A request whose body is sent when its head was read."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def send_head(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        lines = [
            f"POST {EVENTS} HTTP/1.1", "Host: ingest.test", f"X-Forwarded-For: {ATTACKER}",
            "Content-Encoding: gzip", f"Content-Length: {len(BODY)}", "Expect: 100-continue",
        ]  # fmt: skip
        self._writer.write("\r\n".join([*lines, "", ""]).encode())
        assert b" 100 " in await self._reader.readuntil(b"\r\n\r\n")

    async def send_body(self) -> int:
        """Return how many events were accepted."""
        self._writer.write(BODY)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        answer = orjson.loads(await self._reader.readexactly(length))
        self._writer.close()
        return int(answer.get("accepted", 0))


class Visitor:
    """Visitor of another address, who sends one event after the other."""

    def __init__(self, client: httpx.AsyncClient, key: str) -> None:
        self._client = client
        self._key = key
        self.statuses: set[int] = set()
        self.slowest = 0.0
        self.sent = 0

    async def shop_until(self, is_over: asyncio.Event) -> None:
        event = {"type": "pageview", "visitorId": "other"}
        while not is_over.is_set() or self.sent < 3:
            began = time.monotonic()
            answer = await self._client.post(
                f"/v1/events?key={self._key}", json=event, headers={"X-Forwarded-For": NEIGHBOUR}
            )
            self.statuses.add(answer.status_code)
            self.slowest = max(self.slowest, time.monotonic() - began)
            self.sent += 1


async def test_a4_one_address_passes_no_limit_and_nobody_waits(limited: Settings) -> None:
    port = limited.ingest.port
    connections = [Connection(port) for _ in range(CONNECTIONS)]
    for connection in connections:
        await connection.send_head()
    is_over = asyncio.Event()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        visitors = [Visitor(client, key) for key in ("wk_demo", "wk_second")]
        shopping = [asyncio.create_task(one.shop_until(is_over)) for one in visitors]
        try:
            accepted = sum(await asyncio.gather(*(one.send_body() for one in connections)))
        finally:
            is_over.set()
        await asyncio.gather(*shopping)
    assert EVENTS_EACH <= accepted <= limited.limits.address_burst
    for visitor in visitors:
        assert visitor.statuses == {202}
        assert visitor.slowest < AT_ONCE
