"""Bodies are bounded before and after unpacking: measured on ingest's process."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator

import pytest

from tests.integration.lone_service import LoneService, open_lone_service
from tests.support.ingest_process import EVENTS
from tests.support.memory_watch import MEGABYTE, send_huge, watched

pytestmark = pytest.mark.any_broker

AT_ONCE = 20


@pytest.fixture(scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LoneService]:
    async with open_lone_service(
        "ingest_service", tmp_path_factory.mktemp("body-memory")
    ) as opened:
        yield opened


@pytest.mark.parametrize("chunked", [False, True])
async def test_a2_huge_body_is_refused_before_it_is_read(scene: LoneService, chunked: bool) -> None:
    async with watched(scene.server, scene.http) as watch:
        status, took = await send_huge(
            scene.server.port, f"POST {EVENTS} HTTP/1.1", chunked=chunked
        )
    assert status == 413 and took < 2.0
    assert watch.slowest < 1.0 and watch.grown < 32


def bomb(inside: int) -> bytes:
    """Return `inside` bytes of spaces, packed into a thousandth of that."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    spaces = b" " * MEGABYTE
    pieces = [packer.compress(spaces) for _ in range(inside // MEGABYTE)]
    return b"".join([*pieces, packer.flush()])


async def test_a2_packed_bodies_are_bounded_after_unpacking(scene: LoneService) -> None:
    """Twenty at once, each 500 MiB when unpacked: ten gigabytes."""
    body = bomb(500 * MEGABYTE)
    assert len(body) < MEGABYTE
    headers = {"Content-Encoding": "gzip"}
    async with watched(scene.server, scene.http) as watch:
        answers = await asyncio.gather(
            *(scene.http.post(EVENTS, content=body, headers=headers) for _ in range(AT_ONCE))
        )
    assert {answer.status_code for answer in answers} == {413}
    assert watch.slowest < 2.0 and watch.grown < 96


async def test_a2_body_of_many_small_values_is_bounded(scene: LoneService) -> None:
    # A mebibyte of `[0,0,…]` is some megabytes of objects, packed or not.
    body = b"[" + b"0," * 500_000 + b"0]"
    async with watched(scene.server, scene.http) as watch:
        for content, headers in ((body, {}), (gzip.compress(body), {"Content-Encoding": "gzip"})):
            answers = await asyncio.gather(
                *(scene.http.post(EVENTS, content=content, headers=headers) for _ in range(AT_ONCE))
            )
            assert {answer.status_code for answer in answers} <= {413, 422, 429}
    assert watch.slowest < 2.0 and watch.grown < 96
