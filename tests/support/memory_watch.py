"""Watch of a service's process: its memory, and how soon it answers `/health/live`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import httpx
import psutil

from tests.support import stack

MEGABYTE = 1024**2
HUGE = 200 * MEGABYTE
PIECE = b"[" + b"0," * (128 * 1024)


@dataclass
class Watch:
    """The highest memory and the slowest answer of `/health/live` meanwhile."""

    before: float
    worst: float = 0.0
    slowest: float = 0.0
    answers: list[int] = field(default_factory=list)

    @property
    def grown(self) -> float:
        """Megabytes."""
        return self.worst - self.before


@asynccontextmanager
async def watched(server: stack.Server, http: httpx.AsyncClient) -> AsyncIterator[Watch]:
    watch = Watch(_megabytes(server))

    async def look() -> None:
        while True:
            began = time.monotonic()
            watch.answers.append((await http.get("/health/live")).status_code)
            watch.slowest = max(watch.slowest, time.monotonic() - began)
            watch.worst = max(watch.worst, _megabytes(server))
            await asyncio.sleep(0.02)

    looking = asyncio.create_task(look())
    try:
        yield watch
    finally:
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking
    assert set(watch.answers) == {200}


def _megabytes(server: stack.Server) -> float:
    return float(psutil.Process(server.pid).memory_info().rss) / MEGABYTE


async def send_huge(port: int, head: str, *, chunked: bool = False) -> tuple[int, float]:
    """Send 200 MiB, or as much as is taken; return the status, and after how long it came."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {HUGE}"
    writer.write(
        f"{head}\r\nHost: x\r\nContent-Type: application/json\r\n{length}\r\n\r\n".encode()
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
