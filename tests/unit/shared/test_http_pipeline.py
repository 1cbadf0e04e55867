"""Requests of one connection that come before their answers, on real sockets in virtual time."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Receive, Scope, Send

from shared.http.bounds import MAX_HEAD_BYTES, BoundedProtocol
from shared.http.pipeline import MAX_QUEUED, piece_end
from tests.unit.shared.http_connections import (
    HEAD,
    connect,
    echo,
    read_refusal,
    read_response,
    serve_in_virtual_time,
)

GET = HEAD.replace(b"POST", b"GET") + b"\r\n"
LARGE = 200_000


class Slow:
    """An application that answers when it may, and counts what it is asked."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()
        self.asked = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        body = asyncio.ensure_future(receive())  # which once made the server read on
        await self.may_answer.wait()
        await body
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]}
        )
        await send({"type": "http.response.body", "body": b"x"})


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[BoundedProtocol]:
    """Collect every connection that the server has."""
    found: list[BoundedProtocol] = []
    made = BoundedProtocol.connection_made

    def connection_made(self: BoundedProtocol, transport: asyncio.Transport) -> None:
        found.append(self)
        made(self, transport)

    monkeypatch.setattr(BoundedProtocol, "connection_made", connection_made)
    return found


def test_a1_only_so_many_requests_wait_and_nothing_is_read_meanwhile(
    connections: list[BoundedProtocol],
) -> None:
    many = 500_000

    async def test(port: int) -> None:
        reader, writer = await connect(port)
        writer.write(GET * many)
        await asyncio.sleep(5)
        [connection] = connections
        assert app.asked == 1 and len(connection.pipeline) <= MAX_QUEUED
        assert len(connection.unparsed) <= 262_144  # one read
        assert writer.transport.get_write_buffer_size() > len(GET) * many // 2
        writer.close()

    app = Slow()
    serve_in_virtual_time(test, app=app)


@pytest.mark.parametrize("size", [0, 10, LARGE])
def test_a1_all_are_answered_in_turn_whatever_their_bodies(
    connections: list[BoundedProtocol], size: int
) -> None:
    most = 0

    async def watched(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal most
        most = max(most, *(len(connection.pipeline) for connection in connections))
        await echo(scope, receive, send)

    async def test(port: int) -> None:
        reader, writer = await connect(port)
        sizes = [size + n for n in range(40)]
        for each in sizes:  # such a body could be taken for many heads
            body = (b"\r\n\r\n" * each)[:each]
            writer.write(HEAD + b"content-length: %d\r\n\r\n" % each + body)
        for each in sizes:
            assert await read_response(reader) == (200, b"%d" % each)
        assert 0 < most <= MAX_QUEUED
        writer.close()

    serve_in_virtual_time(test, app=watched)


def test_a1_requests_that_come_in_crumbs_are_answered() -> None:
    async def test(port: int) -> None:
        reader, writer = await connect(port)
        text = (HEAD + b"content-length: 2\r\n\r\nhi") * 30
        for start in range(0, len(text), 7):
            writer.write(text[start : start + 7])
            await asyncio.sleep(0.001)
        for _ in range(30):
            assert await read_response(reader) == (200, b"2")
        writer.close()

    serve_in_virtual_time(test)


def test_a1_answers_that_nobody_reads_do_not_pile_up(connections: list[BoundedProtocol]) -> None:
    answers = 0

    async def large(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal answers
        answers += 1
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-length", b"%d" % LARGE)],
            }
        )
        await send({"type": "http.response.body", "body": b"x" * LARGE})

    async def test(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1_024)
        writer.write(GET * 200)
        await asyncio.sleep(20)
        [connection] = connections
        assert answers < 100
        assert connection.transport.get_write_buffer_size() <= 2 * LARGE
        for _ in range(200):  # and who reads them slowly gets them all
            await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(LARGE)
            await asyncio.sleep(0.1)
        writer.close()

    serve_in_virtual_time(test, app=large)


def test_a1_refusal_is_not_taken_for_an_earlier_answer() -> None:
    async def test(port: int) -> None:
        for behind in (b"nonsense\r\n\r\n", GET + b"nonsense\r\n\r\n", HEAD + b"a: b\r\n" * 101):
            reader, writer = await connect(port)
            writer.write(GET + behind)
            assert await reader.read() == b""
            writer.close()

    serve_in_virtual_time(test, app=Slow())


def test_a1_the_request_that_runs_learns_that_its_client_has_gone() -> None:
    noticed = asyncio.Event()

    async def stream(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        end = asyncio.ensure_future(receive())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while not end.done():
            await send({"type": "http.response.body", "body": b"x" * 1_024, "more_body": True})
            await asyncio.sleep(0.1)
        assert end.result()["type"] == "http.disconnect"
        noticed.set()

    async def test(port: int) -> None:
        _, writer = await connect(port)
        writer.write(GET * 5)
        await asyncio.sleep(0.1)
        writer.close()
        await asyncio.wait_for(noticed.wait(), 30)

    serve_in_virtual_time(test, app=stream)


def test_a1_half_a_request_behind_another_is_waited_for_only_so_long() -> None:
    async def test(port: int) -> None:
        reader, writer = await connect(port)
        writer.write(GET + HEAD)
        assert (await read_response(reader))[0] == 200
        assert await read_refusal(reader) == (408, "too_slow")
        writer.close()

    serve_in_virtual_time(test)


@pytest.mark.parametrize("end", [b"", b"\r\n\r\n"])
def test_a1_large_head_behind_another_request_is_refused(end: bytes) -> None:
    async def test(port: int) -> None:
        reader, writer = await connect(port)
        writer.write(GET)
        assert (await read_response(reader))[0] == 200
        writer.write(GET + HEAD + b"a: " + b"x" * 3 * MAX_HEAD_BYTES + end)
        await asyncio.sleep(0.1)
        writer.write(b"x" * 2 * MAX_HEAD_BYTES)
        assert (await reader.read()).count(b"HTTP/1.1 200") <= 1
        writer.close()

    serve_in_virtual_time(test)


def test_pieces_begin_few_requests() -> None:
    assert piece_end(GET, 0) == len(GET)
    text, start, pieces = GET * 100 + HEAD, 0, []
    while start < len(text):
        end = piece_end(text, start)
        pieces.append(text[start:end])
        start = end
    assert b"".join(pieces) == text
    assert max(piece.count(b"\r\n\r\n") for piece in pieces) == MAX_QUEUED - 1
