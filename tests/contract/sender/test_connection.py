"""Does OneSignal take the key? What it answers is told, never an error of ours."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import respx

from shared.settings import Settings
from tests.contract.sender.ops import ONESIGNAL, Ops, open_ops


@pytest.fixture
async def ops(settings: Settings) -> AsyncIterator[Ops]:
    async with open_ops(settings) as opened:
        await opened.open_app()
        yield opened


async def tried(ops: Ops) -> Any:
    return await ops.ok("POST", "/v1/apps/shop/test-connection")


@respx.mock(base_url=ONESIGNAL)
async def test_counts_come_with_a_good_key(ops: Ops, respx_mock: respx.MockRouter) -> None:
    counts = {"players": 12, "messageable_players": 9}
    route = respx_mock.get(path__startswith="/apps/").respond(200, json=counts)
    assert await tried(ops) == {
        "result": "ok", "message": "OneSignal takes the key", "players": 12,
        "messageablePlayers": 9,
    }  # fmt: skip
    assert route.calls[0].request.headers["Authorization"] == "Key os_v2_app_secret"


@pytest.mark.parametrize(
    ("status", "body", "result"),
    [
        (401, {"errors": ["no"]}, "key_refused"),
        (403, None, "key_refused"),
        (
            400,
            {"errors": ["Please include a case-sensitive header of Authorization"]},
            "key_refused",
        ),
        (400, {"errors": ["app_id not found"]}, "app_unknown"),
        (404, {"errors": ["not found"]}, "app_unknown"),
        (429, {"errors": ["API rate limit exceeded"]}, "unreachable"),
        (503, None, "unreachable"),
        (302, None, "unclear"),
        (200, None, "unclear"),
    ],
)
@respx.mock(base_url=ONESIGNAL)
async def test_each_answer_has_its_result(
    ops: Ops, respx_mock: respx.MockRouter, status: int, body: Any, result: str
) -> None:
    answer = httpx.Response(status, json=body) if body else httpx.Response(status)
    respx_mock.get(path__startswith="/apps/").mock(return_value=answer)
    told = await tried(ops)
    assert (told["result"], told["players"]) == (result, None)
    assert "secret" not in told["message"]


@respx.mock(base_url=ONESIGNAL)
async def test_no_answer_is_an_answer_too(ops: Ops, respx_mock: respx.MockRouter) -> None:
    respx_mock.get(path__startswith="/apps/").mock(side_effect=httpx.ConnectTimeout)
    assert (await tried(ops))["result"] == "unreachable"


async def test_unknown_app_is_not_asked_about(ops: Ops) -> None:
    answer = await ops.call("POST", "/v1/apps/nobody/test-connection")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_app")
