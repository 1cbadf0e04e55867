"""Tests of what one client may keep: connections, and memory behind a body or before its answer."""

from __future__ import annotations

import asyncio
import socket

import pytest
from starlette.types import Receive, Scope, Send

from shared.http.bounds import ANSWER_SECONDS, MAX_HEAD_BYTES, MAX_HEADERS
from shared.http.quota import PART, ConnectionQuota
from tests.unit.shared.http_connections import (
    HEAD,
    Streams,
    connect,
    read_refusal,
    read_response,
    serve_in_virtual_time,
)

FLOOD = 65_536_000  # more than a kernel keeps of a connection
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n"
MANY = b"a: b\r\n" * (MAX_HEADERS + 1)
LONG = b"a: ".ljust(MAX_HEAD_BYTES + 1, b"x")


async def write(writer: asyncio.StreamWriter, *pieces: bytes) -> None:
    """Write a little at a time."""
    for piece in pieces:
        for start in range(0, len(piece), 1_024):
            writer.write(piece[start : start + 1_024])
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("trailers", [MANY, LONG])
def test_what_follows_a_body_is_bounded(trailers: bytes) -> None:
    async def test(port: int) -> None:
        reader, writer = await connect(port)
        await write(writer, CHUNKED, trailers)
        assert await read_refusal(reader) == (431, "head_too_large")
        writer.close()

    serve_in_virtual_time(test)


def test_body_in_any_pieces_is_no_head() -> None:
    async def test(port: int) -> None:
        reader, writer = await connect(port)
        for _ in range(2):
            writer.write(HEAD + b"transfer-encoding: chunked\r\n\r\n")
            for _ in range(MAX_HEAD_BYTES // 1_024 + 8):
                writer.write(b"400\r\n" + b"x" * 512)
                await asyncio.sleep(0.001)
                writer.write(b"x" * 512 + b"\r\n")
            writer.write(b"0\r\na: b\r\n\r\n")
            assert await read_response(reader) == (
                200,
                b"%d" % (1_024 * (MAX_HEAD_BYTES // 1_024 + 8)),
            )
        writer.close()

    serve_in_virtual_time(test)


async def early(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer before the body is there."""
    headers = [(b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 401, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def test_who_was_answered_is_not_answered_twice() -> None:
    async def test(port: int) -> None:
        reader, writer = await connect(port)
        writer.write(CHUNKED)
        assert await read_response(reader) == (401, b"")
        await write(writer, LONG)
        assert await reader.read() == b""
        writer.close()

    serve_in_virtual_time(test, app=early)


async def flood(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(FLOOD // 65_536):
        await send({"type": "http.response.body", "body": b"x" * 65_536, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def test_answer_that_nobody_reads_is_given_up() -> None:
    async def test(port: int) -> None:
        with socket.create_connection(("127.0.0.1", port)) as silent:
            silent.sendall(HEAD.replace(b"POST", b"GET") + b"\r\n")
            await asyncio.sleep(ANSWER_SECONDS + 5)
            silent.settimeout(5)
            size = 0
            while some := silent.recv(1_048_576):
                size += len(some)
            assert size < FLOOD

    serve_in_virtual_time(test, app=flood)


def test_answer_that_is_read_slowly_is_not() -> None:
    async def test(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1_024)
        writer.write(HEAD.replace(b"POST", b"GET") + b"\r\n")
        size = 0
        while some := await reader.read(4_000_000):
            size += len(some)
            await asyncio.sleep(ANSWER_SECONDS / 30)
        assert size > FLOOD
        writer.close()

    serve_in_virtual_time(test, app=flood)


def test_one_address_has_a_part_of_the_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.http.quota.rate_limit_key", lambda address: address)

    async def test(port: int) -> None:
        kept: list[Streams] = [await connect(port) for _ in range(8 // PART)]
        await asyncio.sleep(0.1)
        late, writer = await connect(port)
        assert await read_refusal(late) == (429, "too_many_connections")
        kept.pop()[1].close()
        await asyncio.sleep(0.1)
        again, other = await connect(port)
        other.write(HEAD + b"content-length: 2\r\n\r\nhi")
        assert await read_response(again) == (200, b"2")
        for each in (writer, other, *(w for _, w in kept)):
            each.close()

    serve_in_virtual_time(test, connections=8)


def test_ourselves_and_proxies_have_as_many_as_there_are() -> None:
    shares = ConnectionQuota(8, ["9.9.9.0/24", "2a01::/32"])
    for address in ("127.0.0.1", "10.1.2.3", "::1", "9.9.9.7", "2a01::1", ""):
        assert shares.take(address) is None
    names = [shares.take(f"2a00:1:2:3::{n}") for n in range(3)]
    assert len(set(names)) == 1  # a household
    assert names[0] is not None and shares.is_over(names[0])
    shares.release(names[0])
    assert not shares.is_over(names[0])
    assert shares.take("2a00:1:2:4::1") != names[0]


def test_nothing_is_kept_of_who_has_gone() -> None:
    shares = ConnectionQuota(8, [])
    for n in range(5):
        name = shares.take(f"198.51.99.{n}")
        assert name is not None
        shares.release(name)
    assert not shares._taken
