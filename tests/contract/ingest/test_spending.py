"""Tests of what one address may spend of a key, and what a request costs: in events, bytes and objects."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

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
from tests.support.ingest_api import TIGHT, Api

NEIGHBOUR = "93.184.216.8"
PACKED = {"Content-Encoding": "gzip"}
MIB = 1024**2


class PausedBodies:
    """Bodies that arrive only once all of the heads have."""

    def __init__(self, count: int) -> None:
        self._awaited = count
        self._released = asyncio.Event()

    async def pause(self, body: bytes) -> AsyncIterator[bytes]:
        self._awaited -= 1
        if not self._awaited:
            self._released.set()
        await self._released.wait()
        yield body


async def post_heads_first(client: httpx.AsyncClient, count: int, body: bytes) -> Counter[int]:
    bodies = PausedBodies(count)
    posts = [
        client.post(EVENTS_URL, content=bodies.pause(body), headers=PACKED) for _ in range(count)
    ]
    async with asyncio.timeout(20):
        return Counter([answer.status_code for answer in await asyncio.gather(*posts)])


def packed_events(count: int) -> bytes:
    return gzip.compress(orjson.dumps([pageview()] * count))


async def test_a4_heads_before_bodies_pass_no_limit(api: Api) -> None:
    async with api.client(VISITOR_ADDRESS) as client:
        answers = await post_heads_first(
            client, ADDRESS_BURST // 2, packed_events(ADDRESS_BURST // 2)
        )
    assert set(answers) == {202, 429}
    assert len(api.log.records) <= ADDRESS_BURST


async def test_a4_the_key_pays_for_what_is_let_in_only(api: Api) -> None:
    async with api.client(VISITOR_ADDRESS) as client:
        await post_heads_first(client, 10, packed_events(500))
    accepted = len(api.log.records)
    assert accepted <= 500
    async with api.client(NEIGHBOUR) as client:
        assert await post_many(client, 1) == 202
    async with api.client() as client:  # all that the key has left
        assert await post_many(client, 500) == 202
        assert await post_many(client, 500) == 202


async def test_a4_what_is_refused_is_refused_whole_and_comes_later(api: Api) -> None:
    async with api.client(VISITOR_ADDRESS) as client:
        assert await post_many(client, ADDRESS_BURST - 4) == 202
        answer = await client.post(EVENTS_URL, json=[pageview()] * 10)
        assert (answer.status_code, code_of(answer)) == (429, "rate_limited")
        api.monotonic.advance(int(answer.headers["Retry-After"]))
        assert await post_many(client, 10) == 202
    assert len(api.log.records) == ADDRESS_BURST - 4 + 10


async def test_a4_who_is_refused_pays_for_the_asking(api: Api) -> None:
    """Unpacking and parsing again and again for nothing ends at the head."""
    body = gzip.compress(orjson.dumps([pageview()] * 500))
    async with api.client(VISITOR_ADDRESS) as client:
        assert await post_many(client, 2) == 202  # no longer full
        for _ in range(ADDRESS_BURST):
            assert (await client.post(EVENTS_URL, content=body, headers=PACKED)).status_code == 429

        async def unread() -> AsyncIterator[bytes]:
            raise AssertionError("the body was read")
            yield b""

        assert (await client.post(EVENTS_URL, content=unread())).status_code == 429


async def test_a4_one_visitor_behind_an_unlisted_proxy_leaves_the_key_to_others(api: Api) -> None:
    # The proxy's address is private, so it isn't limited; the address that it forwards for is.
    share = int(TIGHT.key_burst * 0.1)
    async with api.client("10.1.1.1") as client:
        seen = {"X-Forwarded-For": f"1.2.3.4, {VISITOR_ADDRESS}"}
        assert await post_many(client, share, EVENTS_URL, **seen) == 202
        assert await post_many(client, 1, EVENTS_URL, **seen) == 429
        assert await post_many(client, 1, EVENTS_URL, **{"X-Forwarded-For": NEIGHBOUR}) == 202
        assert await post_many(client, 1, "/v1/events?key=wk_shop", **seen) == 202
        assert await post_many(client, 500) == 202  # itself


@pytest.mark.parametrize("sites", [True, False])
async def test_a4_a_site_of_ipv6_has_ten_shares(api: Api, sites: bool) -> None:
    # A /48 has 65,536 networks of the size that a household has.
    statuses: Counter[int] = Counter()
    for number in range(15):
        address = f"2a00:1450:{0 if sites else number:x}:{number:x}::1"
        async with api.client(address) as client:
            statuses[await post_many(client, ADDRESS_BURST)] += 1
    assert statuses == ({202: 10, 429: 5} if sites else {202: 15})


def purchase(lines: int, **changes: Any) -> dict[str, Any]:
    items = [{"item": number} for number in range(lines)]
    return {"type": "purchase", "visitorId": "v", "data": {"id": "1", "items": items, **changes}}


@pytest.mark.parametrize(
    ("body", "units"),
    [
        (pageview(), 1),
        ([pageview()] * 3, 3),
        (purchase(10), 1),
        (purchase(160), 10),
        ({"type": "x", "visitorId": "v", "data": {"x": "y" * 10_200}}, 10),
        ({"type": "x", "visitorId": "v", "data": {"x": [0] * 5_100}}, 10),
    ],
)
async def test_b2_bytes_and_lines_are_charged(api: Api, body: Any, units: int) -> None:
    async with api.client(VISITOR_ADDRESS) as client:
        assert (await client.post(EVENTS_URL, json=body)).status_code == 202
        assert await post_many(client, ADDRESS_BURST - units) == 202
        assert await post_many(client, 1) == 429


@pytest.mark.parametrize("body", [b"[" + b" " * 8_192, b'{"events":[]}' + b" " * 8_192])
async def test_b2_what_is_no_batch_pays_by_its_size(api: Api, body: bytes) -> None:
    async with api.client(VISITOR_ADDRESS) as client:
        assert (await client.post(EVENTS_URL, content=body)).status_code == 422
        assert await post_many(client, ADDRESS_BURST - 8) == 202
        assert await post_many(client, 1) == 429


async def test_b2_too_large_a_body_is_paid_for(api: Api) -> None:
    bomb = gzip.compress(b" " * 2 * MIB)
    async with api.client(VISITOR_ADDRESS) as client:
        assert (await client.post(EVENTS_URL, content=bomb, headers=PACKED)).status_code == 413
        assert await post_many(client, 1) == 429


async def test_a4_webhooks_pay_alike(api: Api) -> None:
    body = {"event": "notification.clicked", "pad": "x" * 5_000}
    async with api.client(VISITOR_ADDRESS) as client:
        answers = [await client.post("/v1/webhooks/onesignal/wh_open", json=body) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [202] * 5 + [429]
        assert await post_many(client, 1) == 429  # the address pays, whatever the path


async def test_a4_a_stream_has_its_keys_limit_and_no_address_limit(api: Api) -> None:
    url, headers = "/v1/webhooks/onesignal/wh_open/stream", {"Authorization": "Bearer st_open"}
    body = {"event.kind": "message.push.sent", "pad": "x" * 50_000}
    async with api.client(VISITOR_ADDRESS) as client:
        answers = [await client.post(url, json=body, headers=headers) for _ in range(50)]
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses[202] == int(TIGHT.key_burst) // 48 and statuses[429] > 0


async def test_a4_forwarded_networks_are_limited_alike(api: Api) -> None:
    async with api.client(PROXY_ADDRESS) as client:
        for number in range(10):
            seen = {"X-Forwarded-For": f"2a00:1450:1:{number:x}::1"}
            assert await post_many(client, ADDRESS_BURST, EVENTS_URL, **seen) == 202
        seen = {"X-Forwarded-For": "2a00:1450:1:ff::1"}
        assert await post_many(client, 1, EVENTS_URL, **seen) == 429


async def test_f25_gzip_of_several_members_is_read(client: httpx.AsyncClient, api: Api) -> None:
    body = orjson.dumps([pageview()] * 3)
    members = b"".join(gzip.compress(part) for part in (body[:50], b"", body[50:]))
    answer = await client.post(EVENTS_URL, content=members + b"\0" * 10, headers=PACKED)
    assert (answer.status_code, answer.json()["accepted"]) == (202, 3)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        pytest.param(gzip.compress(b"") * 1_000, 422, "invalid_encoding", id="empty members"),
        pytest.param(gzip.compress(b" " * MIB) * 2, 413, "too_large", id="two halves"),
        pytest.param(gzip.compress(b"[]") + b"x", 422, "invalid_encoding", id="more behind it"),
        pytest.param(
            gzip.compress(b"[]") + gzip.compress(b" ")[:-1], 422, "invalid_encoding", id="cut off"
        ),
    ],
)
async def test_f25_members_are_bounded(
    client: httpx.AsyncClient, body: bytes, status: int, code: str
) -> None:
    answer = await client.post(EVENTS_URL, content=body, headers=PACKED)
    assert (answer.status_code, code_of(answer)) == (status, code)


async def test_b2_a_bomb_takes_no_memory(client: httpx.AsyncClient) -> None:
    # A gibibyte in a mebibyte: packed and unpacked bytes are each in memory once, up to their limits.
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    spaces = b" " * MIB
    bomb = b"".join([*(packer.compress(spaces) for _ in range(1_000)), packer.flush()])
    assert len(bomb) < MIB
    tracemalloc.start()
    try:
        answer = await client.post(EVENTS_URL, content=bomb, headers=PACKED)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (answer.status_code, code_of(answer)) == (413, "too_large")
    assert peak < 6 * MIB
