"""Tests of how much a key and an address may send, packed bodies, crawlers: refused at the endpoint."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import AsyncIterator

import httpx
import orjson
import pytest

from tests.contract.ingest.requests import (
    ADDRESS_BURST,
    EVENTS_URL,
    PROXY_ADDRESS,
    VISITOR_ADDRESS,
    code_of,
    pageview,
    post_many,
)
from tests.support.ingest_api import Api

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/149.0.0.0 Safari/537.36"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


async def test_address_that_sends_too_much_has_to_wait(api: Api) -> None:
    async with api.client(VISITOR_ADDRESS) as client:
        for _ in range(ADDRESS_BURST):
            assert await post_many(client, 1) == 202
        answer = await client.post(EVENTS_URL, json=pageview())
        assert (answer.status_code, code_of(answer)) == (429, "rate_limited")
        wait = int(answer.headers["Retry-After"])
        assert wait == 1
        async with api.client("93.184.216.8") as neighbour:
            assert await post_many(neighbour, 1) == 202
        api.monotonic.advance(wait)
        assert await post_many(client, 1) == 202


async def test_events_count_not_requests(api: Api) -> None:
    # A request that was accepted is taken whole; those after it pay for it.
    async with api.client(VISITOR_ADDRESS) as client:
        assert await post_many(client, 2 * ADDRESS_BURST) == 202
        answer = await client.post(EVENTS_URL, json=pageview())
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "11")


async def test_limit_is_checked_before_the_body(api: Api) -> None:
    async def unread() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    async with api.client(VISITOR_ADDRESS) as client:
        await post_many(client, ADDRESS_BURST)
        assert (await client.post(EVENTS_URL, content=unread())).status_code == 429


async def test_households_network_is_one_address(api: Api) -> None:
    async with api.client("2a00:1450:1:2::1") as client:
        await post_many(client, ADDRESS_BURST)
    async with api.client("2a00:1450:1:2:ffff::2") as client:
        assert await post_many(client, 1) == 429
    async with api.client("2a00:1450:1:3::1") as client:
        assert await post_many(client, 1) == 202


async def test_forwarded_address_counts_behind_a_trusted_proxy(api: Api) -> None:
    async with api.client(PROXY_ADDRESS) as client:
        seen = {"X-Forwarded-For": f"93.184.217.1, {VISITOR_ADDRESS}"}
        assert await post_many(client, ADDRESS_BURST, EVENTS_URL, **seen) == 202
        assert await post_many(client, 1, EVENTS_URL, **seen) == 429
        assert await post_many(client, 1, EVENTS_URL, **{"X-Forwarded-For": "93.184.216.8"}) == 202
        assert await post_many(client, 100) == 202  # the proxy itself
    async with api.client("93.184.216.9") as client:  # anybody can say that
        assert (
            await post_many(
                client, ADDRESS_BURST, EVENTS_URL, **{"X-Forwarded-For": "93.184.217.1"}
            )
            == 202
        )
        assert await post_many(client, 1, EVENTS_URL, **{"X-Forwarded-For": "93.184.217.2"}) == 429


@pytest.mark.parametrize("seen", [f"{VISITOR_ADDRESS}:4711", "[2a00:1450:1:2::1]:443", "unknown"])
async def test_no_way_to_name_an_address_is_without_a_limit(api: Api, seen: str) -> None:
    async with api.client(PROXY_ADDRESS) as client:
        assert (
            await post_many(client, ADDRESS_BURST, EVENTS_URL, **{"X-Forwarded-For": seen}) == 202
        )
        again = seen.replace("4711", "4712")
        assert await post_many(client, 1, EVENTS_URL, **{"X-Forwarded-For": again}) == 429


async def test_key_has_a_limit_wherever_it_is_used(api: Api) -> None:
    async with api.client() as client:
        for _ in range(4):
            assert await post_many(client, 500) == 202
        assert await post_many(client, 1) == 429
        assert await post_many(client, 1, "/v1/events?key=sk_open") == 202
        assert await post_many(client, 1, "/v1/events?key=wk_shop") == 202


async def test_servers_address_is_not_limited(api: Api) -> None:
    async with api.client(VISITOR_ADDRESS) as client:
        assert await post_many(client, 500, "/v1/events?key=sk_open") == 202
        assert await post_many(client, 500, "/v1/events?key=sk_open") == 202


async def test_other_endpoints_are_limited_too(api: Api) -> None:
    async with api.client(VISITOR_ADDRESS) as client:
        await post_many(client, ADDRESS_BURST)
        hook = await client.post("/v1/webhooks/onesignal/wh_open", json={})
        profile = await client.get("/v1/profile?key=wk_open&visitorId=v")
        assert (hook.status_code, profile.status_code) == (429, 429)
        assert (await client.get("/health/live")).status_code == 200


async def post_packed(
    client: httpx.AsyncClient, body: bytes, encoding: str = "gzip"
) -> httpx.Response:
    return await client.post(EVENTS_URL, content=body, headers={"Content-Encoding": encoding})


async def test_packed_body(client: httpx.AsyncClient, api: Api) -> None:
    body = gzip.compress(orjson.dumps([pageview() for _ in range(500)]))
    assert (await post_packed(client, body)).json()["accepted"] == 500
    assert len(api.log.records) == 500


async def test_packed_body_in_pieces(client: httpx.AsyncClient, api: Api) -> None:
    body = gzip.compress(orjson.dumps(pageview()))

    async def pieces() -> AsyncIterator[bytes]:
        for byte in body:
            yield bytes([byte])

    answer = await client.post(EVENTS_URL, content=pieces(), headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 202


async def test_bomb_is_defused(client: httpx.AsyncClient) -> None:
    # A gibibyte of spaces in a megabyte: refused when the first mebibyte is out of it.
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    spaces = b" " * 1024**2
    body = b"".join([*(packer.compress(spaces) for _ in range(64)), packer.flush()])
    answer = await post_packed(client, body)
    assert (answer.status_code, code_of(answer)) == (413, "too_large")


@pytest.mark.parametrize(
    ("body", "encoding", "status", "code"),
    [
        (b"not gzip", "gzip", 422, "invalid_encoding"),
        (b"", "gzip", 422, "invalid_encoding"),
        pytest.param(gzip.compress(b"{}")[:-4], "gzip", 422, "invalid_encoding", id="cut off"),
        pytest.param(
            gzip.compress(b"{}") + b"more", "gzip", 422, "invalid_encoding", id="more behind it"
        ),
        pytest.param(gzip.compress(b"\xff"), "gzip", 422, "invalid_json", id="no UTF-8 in it"),
        (b"{}", "br", 415, "unsupported_encoding"),
        (b"{}", "gzip, gzip", 415, "unsupported_encoding"),
        (b" " * (1024**2 + 1), "gzip", 413, "too_large"),
    ],
)
async def test_badly_packed(
    client: httpx.AsyncClient, api: Api, body: bytes, encoding: str, status: int, code: str
) -> None:
    answer = await post_packed(client, body, encoding)
    assert (answer.status_code, code_of(answer)) == (status, code)
    assert api.log.records == []


@pytest.mark.parametrize(
    ("agent", "key", "context"),
    [
        (GOOGLEBOT, "wk_open", {"language": "cs", "crawler": True}),
        (CHROME, "wk_open", {"language": "cs"}),
        (GOOGLEBOT, "sk_open", {"language": "cs"}),
    ],
)
async def test_crawlers_are_marked(
    client: httpx.AsyncClient, api: Api, agent: str, key: str, context: dict[str, object]
) -> None:
    event = pageview(context={"language": "cs", "crawler": "no"})
    await client.post(f"/v1/events?key={key}", json=event, headers={"User-Agent": agent})
    assert api.log.events[0].context == context


@pytest.mark.parametrize(
    "data",
    [
        b'{"n":' + b"9" * 400 + b"}",
        b'{"n":1e400}',
        b'{"n":-1e308}',
        b'{"n":18446744073709551615}',
        b'{"n":18446744073709551616}',
        b'{"\\ud800":1}',
        b'{"$where":{"a.b":"\\u0000"}}',
    ],
)
async def test_odd_values_are_never_our_mistake(client: httpx.AsyncClient, data: bytes) -> None:
    for kind in (b"custom", b"pageview", b"purchase", b"identify", b"oneSignal"):
        body = b'{"type":"%b","visitorId":"v","data":%b}' % (kind, data)
        answer = await client.post(EVENTS_URL, content=body)
        assert answer.status_code in (202, 422), answer.text
        if answer.status_code == 422:
            assert code_of(answer)
