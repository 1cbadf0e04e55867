"""Tests of what a connection may cost before anybody knows whose it is, on real sockets in virtual time."""

from __future__ import annotations

import asyncio

import pytest

from shared.http.bounds import (
    BODY_PACE,
    BODY_SECONDS,
    HEAD_SECONDS,
    MAX_HEAD_BYTES,
    MAX_HEADERS,
)
from shared.http.open_files import raise_file_limit
from shared.settings import HttpSettings
from tests.unit.shared.http_connections import (
    HEAD,
    connect,
    read_refusal,
    read_response,
    serve_in_virtual_time,
)

KEEP_ALIVE = HttpSettings().keep_alive_seconds
SLOW = 5.0  # within any time there is


LARGE = [
    [HEAD + b"a: " + b"x" * MAX_HEAD_BYTES],  # without an end
    [HEAD + b"a: " + b"x" * MAX_HEAD_BYTES + b"\r\n\r\n"],
    [HEAD, b"a: ", *[b"x" * 1_024] * (MAX_HEAD_BYTES // 1_024)],  # a little at a time
    [b"GET /" + b"x" * MAX_HEAD_BYTES],
    [HEAD, b"a: b\r\n" * (MAX_HEADERS + 1)],
    [HEAD + b"a: b\r\n" * MAX_HEADERS + b"\r\n"],
]


def test_idle_connection_is_closed_only_after_its_time() -> None:
    async def test(port: int) -> None:
        reader, writer = await connect(port)
        for _ in range(3):
            writer.write(HEAD + b"content-length: 1\r\n\r\nx")
            await read_response(reader)
            await asyncio.sleep(KEEP_ALIVE - 1)
        assert not reader.at_eof(), "each answer begins the time anew"
        await asyncio.sleep(4)
        assert await reader.read() == b""
        writer.close()

    serve_in_virtual_time(test)


@pytest.mark.parametrize("pieces", LARGE)
@pytest.mark.parametrize("after", [b"", HEAD + b"content-length: 2\r\n\r\nhi"])
def test_large_heads_are_refused_as_soon_as_they_are_large(
    pieces: list[bytes], after: bytes
) -> None:
    async def test(port: int) -> None:
        reader, writer = await connect(port)
        if after:  # also on a connection that was used before
            writer.write(after)
            assert await read_response(reader) == (200, b"2")
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0.001)
        assert await read_refusal(reader) == (431, "head_too_large")
        writer.close()

    serve_in_virtual_time(test)


def test_what_is_within_the_bounds_is_served() -> None:
    async def test(port: int) -> None:
        reader, writer = await connect(port)
        headers = b"a: b\r\n" * (MAX_HEADERS - 2) + b"content-length: %d\r\n\r\n"
        for size in (100_000, 0, 200_000):
            writer.write(HEAD + headers % size + b"x" * size)
            assert await read_response(reader) == (200, b"%d" % size)
            await asyncio.sleep(2 * HEAD_SECONDS)  # idle, and still there
        writer.close()

    serve_in_virtual_time(test)


@pytest.mark.parametrize(
    ("sent", "seconds"),
    [(HEAD, HEAD_SECONDS), (HEAD + b"content-length: 9\r\n\r\nhalf", BODY_SECONDS)],
)
def test_half_a_request_is_waited_for_only_so_long(sent: bytes, seconds: float) -> None:
    async def test(port: int) -> None:
        reader, writer = await connect(port)
        writer.write(sent)
        began = asyncio.get_running_loop().time()
        assert await read_refusal(reader) == (408, "too_slow")
        assert seconds <= asyncio.get_running_loop().time() - began <= seconds + 3
        writer.close()

    serve_in_virtual_time(test)


def test_a_drop_now_and_then_is_not_enough_but_a_pace_is() -> None:
    async def test(port: int) -> None:
        (drops, dropping), (reader, writer) = await connect(port), await connect(port)
        size = 20 * int(SLOW * BODY_PACE)
        for each in (dropping, writer):
            each.write(HEAD + b"content-length: %d\r\n\r\n" % size)
        for n in range(20):
            if n < 5:
                dropping.write(b"x")
            await asyncio.sleep(SLOW)
            writer.write(b"x" * int(SLOW * BODY_PACE))
        assert await read_response(reader) == (200, b"%d" % size)
        assert await read_refusal(drops) == (408, "too_slow")
        for each in (dropping, writer):
            each.close()

    serve_in_virtual_time(test)


def test_silent_connections_are_closed() -> None:
    async def test(port: int) -> None:
        reader, writer = await connect(port)
        assert await reader.read() == b""
        writer.close()

    serve_in_virtual_time(test)


def test_there_are_only_so_many_connections() -> None:
    async def test(port: int) -> None:
        kept = [await connect(port) for _ in range(3)]
        await asyncio.sleep(0.1)
        late, writer = await connect(port)
        assert await read_refusal(late) == (503, "too_many_connections")
        kept[0][1].close()
        await asyncio.sleep(0.1)
        again, other = await connect(port)
        other.write(HEAD + b"content-length: 2\r\n\r\nhi")
        assert await read_response(again) == (200, b"2")
        for each in (writer, other, *(w for _, w in kept)):
            each.close()

    serve_in_virtual_time(test, connections=3)


@pytest.mark.parametrize("name", [b"Upgrade", b"upgrade"])
def test_who_asks_for_another_protocol_is_served_in_this_one(name: bytes) -> None:
    # Also the second time, and what is no head stays as it is.

    async def test(port: int) -> None:
        reader, writer = await connect(port)
        asks = name + b": h2c\r\nconnection: Upgrade, HTTP2-Settings\r\nhttp2-settings: AA\r\n"
        body = b"\r\nupgrade: no"
        for _ in range(2):
            writer.write(HEAD + asks + b"content-length: %d\r\n\r\n" % len(body))
            await asyncio.sleep(0.01)
            writer.write(body)
            assert await read_response(reader) == (200, b"%d" % len(body))
        writer.close()

    serve_in_virtual_time(test)


def test_nonsense_is_a_400() -> None:
    async def test(port: int) -> None:
        reader, writer = await connect(port)
        writer.write(b"HELO mail.example\r\n\r\n")
        assert await read_refusal(reader) == (400, "bad_request")
        writer.close()

    serve_in_virtual_time(test)


def test_connections_leave_files_for_the_rest() -> None:
    assert raise_file_limit(10) == 10
    assert 0 < raise_file_limit(10**9) < 10**9
