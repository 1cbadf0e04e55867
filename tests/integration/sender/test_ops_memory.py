"""How much memory and time a body may cost the sender: measured on its process."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx
import orjson
import psutil
import pytest

from shared.clock import utc_now
from tests import stack
from tests.e2e.carillon import OPS, campaign
from tests.integration.ingest.running import client_of, seeded, until

pytestmark = pytest.mark.any_broker

MEGABYTE = 1024**2
HUGE = 200 * MEGABYTE
PIECE = b"[" + b"0," * (128 * 1024)
LINES = 300_000


@dataclass
class Watch:
    """The highest memory and the slowest answer of `/health/live` meanwhile."""

    before: float
    worst: float = 0.0
    slowest: float = 0.0
    answers: list[int] = field(default_factory=list)

    @property
    def grown(self) -> float:
        return self.worst - self.before


@dataclass(frozen=True)
class Scene:
    server: stack.Server
    http: httpx.AsyncClient

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[Watch]:
        watch, process = Watch(self._megabytes()), psutil.Process(self.server.pid)
        assert process.is_running()

        async def look() -> None:
            while True:
                began = time.monotonic()
                watch.answers.append((await self.http.get("/health/live")).status_code)
                watch.slowest = max(watch.slowest, time.monotonic() - began)
                watch.worst = max(watch.worst, self._megabytes())
                await asyncio.sleep(0.02)

        looking = asyncio.create_task(look())
        try:
            yield watch
        finally:
            looking.cancel()
            with suppress(asyncio.CancelledError):
                await looking
        assert set(watch.answers) == {200}

    def _megabytes(self) -> float:
        return float(psutil.Process(self.server.pid).memory_info().rss) / MEGABYTE


@pytest.fixture(scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    folder: Path = tmp_path_factory.mktemp("ops-memory")
    async with AsyncExitStack() as opened:
        broker = opened.enter_context(stack.broker())
        database = opened.enter_context(stack.database(folder / "database"))
        settings = stack.settings_for(broker.address, f"mongodb://{database.address}", folder)
        await opened.enter_async_context(seeded(settings))
        server = opened.enter_context(stack.service("sender_service", settings))
        http = await opened.enter_async_context(client_of(server))
        await until(http, 200, "ready")
        path = "/v1/apps/demo/campaigns/hello"
        assert (await http.put(path, json=campaign(), headers=OPS)).is_success
        yield Scene(server, http)


async def send_huge(scene: Scene, head: str, *, chunked: bool = False) -> tuple[int, float]:
    """Send 200 MiB, or as much as is taken; return the status, and after how long it came."""
    reader, writer = await asyncio.open_connection("127.0.0.1", scene.server.port)
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {HUGE}"
    writer.write(
        f"{head}\r\nHost: ops\r\nContent-Type: application/json\r\n{length}\r\n\r\n".encode()
    )
    began = time.monotonic()

    async def send() -> None:
        piece = b"%x\r\n%s\r\n" % (len(PIECE), PIECE) if chunked else PIECE
        with suppress(ConnectionError):
            for _ in range(HUGE // len(PIECE)):
                writer.write(piece)
                await writer.drain()

    sending = asyncio.create_task(send())
    status = int((await asyncio.wait_for(reader.readline(), 60)).split()[1])
    took = time.monotonic() - began
    await sending
    writer.close()
    return status, took


@pytest.mark.parametrize("path", ["/v1/apps/x", "/v1/apps/demo/campaigns/hello", "/v1/nothing"])
async def test_a2_huge_body_without_a_token_costs_nothing(scene: Scene, path: str) -> None:
    async with scene.watched() as watch:
        status, took = await send_huge(scene, f"PUT {path} HTTP/1.1")
    assert status == 401 and took < 1.0
    assert watch.slowest < 1.0 and watch.grown < 32


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(
    "head",
    ["PUT /v1/apps/x", "PUT /v1/apps/demo/campaigns/hello", "POST /v1/tokens", "POST /v1/sends",
     "POST /v1/sends/preview"],
)  # fmt: skip
async def test_a2_huge_body_with_a_token_is_too_large(
    scene: Scene, head: str, chunked: bool
) -> None:
    token = f"\r\nAuthorization: {OPS['Authorization']}"
    async with scene.watched() as watch:
        status, took = await send_huge(scene, f"{head} HTTP/1.1{token}", chunked=chunked)
    assert status == 413 and took < 2.0
    assert watch.slowest < 1.0 and watch.grown < 32


async def test_a2_upload_of_a_long_list_takes_little_memory(scene: Scene) -> None:
    """30 MB of lines, which would be some hundreds as objects."""
    head = {
        "id": str(uuid.uuid4()), "app": "demo", "campaign": "hello",
        "sendAt": (utc_now() + timedelta(days=20)).isoformat(),
    }  # fmt: skip

    def lines() -> Iterator[bytes]:
        yield orjson.dumps(head) + b"\n"
        for i in range(0, LINES, 1_000):
            yield b"".join(
                b'{"login":"somebody-%d@shop.example","variables":{"name":"Somebody %d"}}\n'
                % (n, n)
                for n in range(i, i + 1_000)
            )

    async def pieces() -> AsyncIterator[bytes]:
        for piece in lines():
            yield piece
            await asyncio.sleep(0)

    headers = {**OPS, "Content-Type": "application/x-ndjson"}
    async with scene.watched() as watch:
        answer = await scene.http.post("/v1/sends", content=pieces(), headers=headers, timeout=120)
    assert answer.status_code == 202, answer.text
    assert watch.grown < 64
    stored = (await scene.http.get(f"/v1/sends/{head['id']}", headers=OPS)).json()
    assert stored["state"] == "scheduled"
    await scene.http.post(f"/v1/sends/{head['id']}/cancel", headers=OPS)
