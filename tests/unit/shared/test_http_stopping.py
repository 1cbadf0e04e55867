"""Requests that a stopping service no longer waits for."""

from __future__ import annotations

import asyncio

import orjson
from starlette.types import Receive, Scope, Send

from tests.support.virtual_time import VirtualLoop, in_virtual_time
from tests.unit.shared.http_connections import HEAD, Streams, connect, read_response, serving

REQUEST = HEAD + b"content-length: 0\r\n\r\n"


async def _wait_for_ever(scope: Scope, receive: Receive, send: Send) -> None:
    await asyncio.Event().wait()


async def _begin_and_wait(scope: Scope, receive: Receive, send: Send) -> None:
    headers = [(b"content-length", b"3")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"x", "more_body": True})
    await asyncio.Event().wait()


async def send_and_stop(port: int, stop: asyncio.Event, request: bytes = REQUEST) -> Streams:
    """Send what the app begins to handle; then stop the service."""
    reader, writer = await connect(port)
    writer.write(request)
    await asyncio.sleep(0.1)
    stop.set()
    return reader, writer


def test_cancelled_request_may_be_repeated() -> None:
    async def run(_: VirtualLoop) -> None:
        async with serving(_wait_for_ever, 10) as (port, stop):
            # The second doesn't begin, or it would be left over.
            reader, writer = await send_and_stop(port, stop, REQUEST * 2)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 503 ")
            assert b"\r\nretry-after: 1\r\n" in head.lower()
            body = orjson.loads(await reader.read())
            assert body["code"] == "stopping"
            assert body["message"] == "the service is stopping"
            writer.close()

    in_virtual_time(run)


def test_begun_response_is_cut_off() -> None:
    async def run(_: VirtualLoop) -> None:
        async with serving(_begin_and_wait, 10) as (port, stop):
            reader, writer = await send_and_stop(port, stop)
            answer = await reader.read()
            assert answer.startswith(b"HTTP/1.1 200 ")
            assert answer.endswith(b"\r\n\r\nx")  # no second response inside the first
            writer.close()

    in_virtual_time(run)


def test_other_requests_are_answered_as_ever() -> None:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.5)
        headers = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok"})

    async def run(_: VirtualLoop) -> None:
        async with serving(answer, 10) as (port, stop):
            reader, writer = await send_and_stop(port, stop)
            assert await read_response(reader) == (200, b"ok")
            writer.close()

    in_virtual_time(run)
