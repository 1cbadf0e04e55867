"""Connections that ask for more than they read, against the real processes: A1."""

from __future__ import annotations

import asyncio
import time

import httpx
import psutil
import pytest

from shared.settings import Settings
from tests.support import stack
from tests.support.flood import Flood
from tests.support.ingest_process import EVENTS, client_of, seeded, until

pytestmark = pytest.mark.any_broker

ALLOWED_MEGABYTES = 20.0  # more than before; it was 1,100
ANSWER_SECONDS = 1.0
FLOOD_SECONDS = 10.0  # seen to be enough for more than 100,000 requests that were all kept
EVERY_SECONDS = 0.1
CROWD = 40  # connections
LIVE = b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n"
SNIPPET = "/v1/snippet.js?key=wk_demo"  # 40 KB
SCRIPT = b"GET %s HTTP/1.1\r\nhost: x\r\n\r\n" % SNIPPET.encode()
EVENT = b'{"type":"pageview","visitorId":"v"}'
EVENT_POST = b"POST %s HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%s" % (
    EVENTS.encode(), len(EVENT), EVENT,
)  # fmt: skip


def megabytes(server: stack.Server) -> float:
    return float(psutil.Process(server.pid).memory_info().rss) / 1024**2


async def worst_answer(http: httpx.AsyncClient, stop: asyncio.Event) -> float:
    """Ask all the while; return how long the slowest answer took."""
    worst = 0.0
    while not stop.is_set():
        began = time.monotonic()
        assert (await http.get("/health/live")).status_code == 200
        worst = max(worst, time.monotonic() - began)
        await asyncio.sleep(EVERY_SECONDS)
    return worst


async def check_flood(server: stack.Server, request: bytes, connections: int = 1) -> float:
    """Flood, check the answers that others get meanwhile, and return the megabytes it took."""
    floods = [Flood(server.port, request) for _ in range(connections)]
    stop = asyncio.Event()
    try:
        async with client_of(server) as http:
            for _ in range(300):  # what is made once isn't the flood's
                await http.get("/health/live")
            await http.get(SNIPPET)
            before = megabytes(server)
            others = asyncio.create_task(worst_answer(http, stop))
            await asyncio.gather(*(flood.run(FLOOD_SECONDS) for flood in floods))
            grown = megabytes(server) - before
            stop.set()
            assert await others < ANSWER_SECONDS
    finally:
        for flood in floods:
            flood.close()
    assert all(flood.sent > 100 * len(request) for flood in floods)
    return grown


@pytest.mark.parametrize("name", ["ingest_service", "sender_service"])
async def test_a1_pipelining_without_reading_takes_no_memory(settings: Settings, name: str) -> None:
    async with seeded(settings):
        with stack.service(name, settings) as server:
            async with client_of(server) as http:
                await until(http, 200, "ready")
            assert await check_flood(server, LIVE) < ALLOWED_MEGABYTES


@pytest.mark.parametrize("request_text", [EVENT_POST, SCRIPT], ids=["bodies", "large answers"])
async def test_a1_nor_do_many_such_connections(settings: Settings, request_text: bytes) -> None:
    async with seeded(settings):
        with stack.service("ingest_service", settings, "--only", "api") as server:
            async with client_of(server) as http:
                await until(http, 200, "ready")
            grown = await check_flood(server, request_text, CROWD)
            assert grown < ALLOWED_MEGABYTES + CROWD * 0.75  # a read, a queue, an answer or two
