"""Raw connections to our HTTP server, in virtual time."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.service import serve
from shared.settings import HttpSettings
from tests.support.virtual_time import VirtualLoop, in_virtual_time

HEAD = b"POST / HTTP/1.1\r\nhost: x\r\n"


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def read_size(receive: Receive) -> int | None:
    """Read the body; return its size, None if the client went away."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        size, more = size + len(message["body"]), message["more_body"]
    return size


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the size of the body."""
    size = await read_size(receive)
    if size is None:
        return
    body = b"%d" % size
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def serving(app: ASGIApp, connections: int) -> AsyncIterator[tuple[int, asyncio.Event]]:
    """Serve the app; yield the port and the event that stops it."""
    stop = asyncio.Event()
    # Named TCP, asyncio sends at once: what waits for an ACK would wait for years in this time.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    port: int = listener.getsockname()[1]
    http = HttpSettings(drain_seconds=1, max_connections=connections)
    server = asyncio.create_task(serve(app, listener, stop, http))
    await asyncio.sleep(0.5)
    try:
        yield port, stop
    finally:
        stop.set()
        await server


def serve_in_virtual_time(
    test: Callable[[int], Awaitable[None]], connections: int = 2_000, app: ASGIApp = echo
) -> None:
    async def run(_: VirtualLoop) -> None:
        async with serving(app, connections) as (port, _stop):
            await test(port)

    in_virtual_time(run)


async def connect(port: int) -> Streams:
    return await asyncio.open_connection("127.0.0.1", port)


async def read_response(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    return int(head.split()[1]), await reader.readexactly(length)


async def read_refusal(reader: asyncio.StreamReader) -> tuple[int, str]:
    """Return status and code of an answer, after which the connection must be closed."""
    status, body = await read_response(reader)
    assert await reader.read() == b""
    return status, orjson.loads(body)["code"]
