"""Tests of how much memory and time a body may cost the sender: measured on its process."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import orjson
import pytest

from shared.clock import utc_now
from tests.integration.lone_service import LoneService, open_lone_service
from tests.support.carillon import OPS, campaign
from tests.support.memory_watch import send_huge, watched

pytestmark = pytest.mark.any_broker

LINES = 300_000


@pytest.fixture(scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LoneService]:
    async with open_lone_service("sender_service", tmp_path_factory.mktemp("ops-memory")) as opened:
        path = "/v1/apps/demo/campaigns/hello"
        assert (await opened.http.put(path, json=campaign(), headers=OPS)).is_success
        yield opened


@pytest.mark.parametrize("path", ["/v1/apps/x", "/v1/apps/demo/campaigns/hello", "/v1/nothing"])
async def test_a2_huge_body_without_a_token_costs_nothing(scene: LoneService, path: str) -> None:
    async with watched(scene.server, scene.http) as watch:
        status, took = await send_huge(scene.server.port, f"PUT {path} HTTP/1.1")
    assert status == 401 and took < 1.0
    assert watch.slowest < 1.0 and watch.grown < 32


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(
    "head",
    ["PUT /v1/apps/x", "PUT /v1/apps/demo/campaigns/hello", "POST /v1/tokens", "POST /v1/sends",
     "POST /v1/sends/preview"],
)  # fmt: skip
async def test_a2_huge_body_with_a_token_is_too_large(
    scene: LoneService, head: str, chunked: bool
) -> None:
    token = f"\r\nAuthorization: {OPS['Authorization']}"
    async with watched(scene.server, scene.http) as watch:
        status, took = await send_huge(
            scene.server.port, f"{head} HTTP/1.1{token}", chunked=chunked
        )
    assert status == 413 and took < 2.0
    assert watch.slowest < 1.0 and watch.grown < 32


async def test_a2_upload_of_a_long_list_takes_little_memory(scene: LoneService) -> None:
    """30 MB of lines, which would be some hundreds as objects."""
    head = {
        "id": str(uuid.uuid4()), "app": "demo", "campaign": "hello",
        "sendAt": (utc_now() + timedelta(days=20)).isoformat(),
    }  # fmt: skip

    def lines() -> Iterator[bytes]:
        yield orjson.dumps(head) + b"\n"
        for i in range(0, LINES, 1_000):
            yield b"".join(
                b'{"login":"somebody-%d@shop.example","variables":{"name":"Somebody %d"}}\n'
                % (n, n)
                for n in range(i, i + 1_000)
            )

    async def pieces() -> AsyncIterator[bytes]:
        for piece in lines():
            yield piece
            await asyncio.sleep(0)

    headers = {**OPS, "Content-Type": "application/x-ndjson"}
    async with watched(scene.server, scene.http) as watch:
        answer = await scene.http.post("/v1/sends", content=pieces(), headers=headers, timeout=120)
    assert answer.status_code == 202, answer.text
    assert watch.grown < 64
    stored = (await scene.http.get(f"/v1/sends/{head['id']}", headers=OPS)).json()
    assert stored["state"] == "scheduled"
    await scene.http.post(f"/v1/sends/{head['id']}/cancel", headers=OPS)
