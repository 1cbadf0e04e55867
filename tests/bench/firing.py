"""A load that costs little itself: keep-alive connections that write ready-made requests."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import orjson

CONNECTIONS = 64
PATH = "/v1/events?key=wk_demo"


def request(events: int) -> bytes:
    """Return a body as the snippet sends it: 400 bytes an event, a visitor and an id of its own each."""
    body = orjson.dumps([_event(n) for n in range(events)])
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: bench\r\nOrigin: https://shop.example.test\r\n"
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Chrome/149.0.0.0 Safari/537.36\r\n"
        "Accept: */*\r\nAccept-Language: cs\r\nContent-Type: text/plain;charset=UTF-8\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _event(number: int) -> dict[str, object]:
    return {
        "id": str(uuid.uuid4()),
        "type": "pageview",
        "visitorId": uuid.uuid4().hex,
        "occurredAt": "2026-11-22T12:00:00.000Z",
        "page": {"url": f"https://shop.example.test/product/{number}", "title": "A shoe"},
        "context": {"timeZone": "Europe/Prague", "language": "cs", "browser": "chrome"},
        "data": {"pageType": "detail", "itemID": str(number), "categoryID": "shoes"},
    }


@dataclass
class Fired:
    """Answers to a burst; `latencies` in seconds."""

    requests: int = 0
    refused: int = 0
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)


async def fire(
    port: int, bodies: list[bytes], count: int, per_second: float | None = None
) -> Fired:
    """Send `count` requests: as fast as they are answered, or at a rate."""
    fired = Fired()
    numbers = iter(range(count))
    began = time.perf_counter()

    def due(number: int) -> float:
        return began + number / per_second if per_second else 0.0

    async with asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(_shoot(port, bodies, numbers, due, fired))
    fired.seconds = time.perf_counter() - began
    return fired


async def _shoot(
    port: int,
    bodies: list[bytes],
    numbers: Iterator[int],
    due: Callable[[int], float],
    fired: Fired,
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for number in numbers:
        late = due(number) - time.perf_counter()
        if late > 0:
            await asyncio.sleep(late)
        began = max(due(number), time.perf_counter() if not due(number) else 0.0)
        writer.write(bodies[number % len(bodies)])
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        fired.requests += 1
        fired.refused += not head.startswith(b"HTTP/1.1 202")
        fired.latencies.append(time.perf_counter() - began)
    writer.close()
