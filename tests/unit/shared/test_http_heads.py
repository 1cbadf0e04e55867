"""Heads as applications see them, on real sockets in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import orjson
import pytest
from starlette.types import Receive, Scope, Send

from shared.settings import HttpSettings, Settings
from tests.unit.shared.http_connections import (
    HEAD,
    connect,
    read_refusal,
    read_response,
    read_size,
    serve_in_virtual_time,
)

CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"
H2C = b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AA\r\n"
Test = Callable[[int], Awaitable[None]]


async def mirror(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the headers as they are when the body is there, and with its size."""
    size = await read_size(receive)
    if size is None:
        return
    headers = [[name.decode(), value.decode("latin-1")] for name, value in scope["headers"]]
    body = orjson.dumps({"headers": headers, "size": size})
    length = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": length})
    await send({"type": "http.response.body", "body": body})


def asking(*pieces: bytes, check: Callable[[dict[str, str], int], object]) -> Test:
    """Send the pieces one by one, and check the headers and the size that arrived."""

    async def test(port: int) -> None:
        reader, writer = await connect(port)
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0.01)
        status, body = await read_response(reader)
        assert status == 200
        seen = orjson.loads(body)
        assert check(dict(seen["headers"]), seen["size"])
        assert len(seen["headers"]) == len(dict(seen["headers"]))
        writer.close()

    return test


@pytest.mark.parametrize(
    "name",
    [
        b"Authorization",
        b"X-Forwarded-For",
        b"Host",
        b"X-Any",
        b"Expect",
        b"Connection: upgrade\r\nUpgrade",
    ],
)
@pytest.mark.parametrize("pieces", [1, 2, 3])
def test_a5_trailers_are_dropped_whatever_their_name(name: bytes, pieces: int) -> None:
    trailer = name + b": 7\r\n\r\n"
    parts = {
        1: [CHUNKED + b"2\r\nhi\r\n0\r\n" + trailer],
        2: [CHUNKED, b"2\r\nhi\r\n0\r\n" + trailer],  # the head is with the application already
        3: [CHUNKED + b"2\r\nhi\r\n", b"0\r\n" + trailer[:4], trailer[4:]],
    }[pieces]
    known = {"host": "x", "transfer-encoding": "chunked"}
    serve_in_virtual_time(
        asking(*parts, check=lambda headers, size: (headers, size) == (known, 2)), app=mirror
    )


def test_a5_trailers_are_not_the_next_request_s_either() -> None:
    async def test(port: int) -> None:
        reader, writer = await connect(port)
        writer.write(CHUNKED + b"0\r\nAuthorization: Bearer x\r\n\r\n" + CHUNKED + b"0\r\n\r\n")
        for _ in range(2):
            status, body = await read_response(reader)
            assert status == 200 and b"authorization" not in body
        writer.close()

    serve_in_virtual_time(test, app=mirror)


def test_upgrade_in_any_two_segments_is_served_in_this_protocol() -> None:
    body = b"\r\nupgrade: no"
    text = HEAD + H2C + b"content-length: %d\r\n\r\n" % len(body) + body
    chunked = HEAD + H2C + b"transfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"

    async def test(port: int) -> None:
        reader, writer = await connect(port)
        for whole, size in ((text, len(body)), (chunked, 2)):
            for cut in range(len(whole)):
                for piece in (whole[:cut], whole[cut:]):
                    writer.write(piece)
                    await asyncio.sleep(0.001)
                status, payload = await read_response(reader)
                seen = orjson.loads(payload)
                assert (status, seen["size"]) == (200, size)
                assert "upgrade" not in dict(seen["headers"])
        writer.close()

    serve_in_virtual_time(test, app=mirror)


def test_upgrades_behind_each_other_are_all_served() -> None:
    async def test(port: int) -> None:
        reader, writer = await connect(port)
        writer.write((HEAD + H2C + b"content-length: 2\r\n\r\nhi") * 40)
        for _ in range(40):
            status, payload = await read_response(reader)
            assert (status, orjson.loads(payload)["size"]) == (200, 2)
        writer.close()

    serve_in_virtual_time(test, app=mirror)


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\na: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n",
        b"GET / HTTP/1.0\r\nhost: a\r\nhost: b\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/0.9\r\nhost: a\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"CONNECT a:443 HTTP/1.1\r\nhost: a:443\r\n\r\n",
    ],
)
def test_no_or_two_hosts_and_other_versions_are_a_400(head: bytes) -> None:
    async def test(port: int) -> None:
        reader, writer = await connect(port)
        writer.write(head)
        assert await read_refusal(reader) == (400, "bad_request")
        writer.close()

    serve_in_virtual_time(test, app=mirror)


def test_http_1_0_needs_no_host() -> None:
    """Load balancers look after our health in this way."""
    serve_in_virtual_time(
        asking(b"GET / HTTP/1.0\r\n\r\n", check=lambda h, size: (h, size) == ({}, 0)), app=mirror
    )


@pytest.mark.parametrize("value", [b"v", b" v", b"v ", b"\tv\t ", b"v \t"])
def test_f13_blanks_around_values_mean_nothing(value: bytes) -> None:
    head = b"GET / HTTP/1.1\r\nHost:x \t\r\nX-Write-Key:" + value + b"\r\n\r\n"
    known = {"host": "x", "x-write-key": "v"}
    serve_in_virtual_time(asking(head, check=lambda headers, _: headers == known), app=mirror)


def test_f13_connections_outlive_a_proxy_s_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty seconds are usual; who closes first loses the request that is on its way."""

    async def test(port: int) -> None:
        reader, writer = await connect(port)
        for seconds in (70, 70, 0):
            writer.write(HEAD + b"content-length: 0\r\n\r\n")
            assert (await read_response(reader))[0] == 200
            await asyncio.sleep(seconds)
        began = asyncio.get_running_loop().time()
        assert await reader.read() == b""
        assert 70 < asyncio.get_running_loop().time() - began < 80
        writer.close()

    serve_in_virtual_time(test, app=mirror)
    assert HttpSettings().keep_alive_seconds == 75
    monkeypatch.setenv("CARILLON_INGEST__KEEP_ALIVE_SECONDS", "9")
    assert Settings().ingest.keep_alive_seconds == 9
