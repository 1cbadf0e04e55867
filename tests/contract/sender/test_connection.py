"""Tests of whether OneSignal takes the key: its answer is passed on, never an error of ours."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import respx

from tests.support.ops_client import ONESIGNAL, Ops

NO_SECRET = {
    "field": "loginHash.secret", "code": "login_secret_missing",
    "message": "no secret is stored: no browser can prove a login",
}  # fmt: skip


async def tried(ops: Ops) -> Any:
    return await ops.ok("POST", "/v1/apps/shop/test-connection")


@pytest.mark.parametrize(
    ("login_hash", "codes"),
    [
        ({"secret": "a secret"}, []),
        ({}, ["login_secret_missing"]),
        ({"required": False, "secret": "a secret"}, ["login_proof_optional"]),
        ({"required": False}, ["login_proof_optional", "login_secret_missing"]),
    ],
)
@respx.mock(base_url=ONESIGNAL)
async def test_a6_optional_proof_and_a_missing_secret_are_warned_of(
    ops: Ops, respx_mock: respx.MockRouter, login_hash: dict[str, Any], codes: list[str]
) -> None:
    respx_mock.get(path__startswith="/apps/").respond(404)
    app = await ops.ok("GET", "/v1/apps/shop")
    body = {"name": "shop", "oneSignal": {"appId": app["oneSignal"]["appId"]}}
    await ops.ok("PUT", "/v1/apps/shop", json={**body, "loginHash": login_hash})
    response = await tried(ops)
    assert (response["result"], [found["code"] for found in response["warnings"]]) == (
        "app_unknown",
        codes,
    )


@respx.mock(base_url=ONESIGNAL)
async def test_counts_come_with_a_good_key(ops: Ops, respx_mock: respx.MockRouter) -> None:
    counts = {"players": 12, "messageable_players": 9}
    route = respx_mock.get(path__startswith="/apps/").respond(200, json=counts)
    assert await tried(ops) == {
        "result": "ok", "message": "OneSignal takes the key", "players": 12,
        "messageablePlayers": 9, "warnings": [NO_SECRET],
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
    response = await tried(ops)
    assert (response["result"], response["players"]) == (result, None)
    assert "secret" not in response["message"]


@respx.mock(base_url=ONESIGNAL)
async def test_no_answer_is_an_answer_too(ops: Ops, respx_mock: respx.MockRouter) -> None:
    respx_mock.get(path__startswith="/apps/").mock(side_effect=httpx.ConnectTimeout)
    assert (await tried(ops))["result"] == "unreachable"


async def test_unknown_app_is_not_asked_about(ops: Ops) -> None:
    answer = await ops.call("POST", "/v1/apps/nobody/test-connection")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_app")


@respx.mock(base_url=ONESIGNAL)
async def test_key_that_no_header_can_carry_is_reported(ops: Ops) -> None:
    # One that was stored before such keys were refused.
    sealed = ops.context.vault.encrypt("ключ")
    await ops.database["apps"].update_one(
        {"_id": "shop"}, {"$set": {"oneSignal.restApiKey": sealed}}
    )
    assert (await tried(ops))["result"] == "secret_unreadable"


@pytest.mark.parametrize("key", ["ключ", "two words", "os_v2\nx", " "])
async def test_what_is_no_key_is_refused(ops: Ops, key: str) -> None:
    one_signal = {"appId": "8a1e1c1c-0000-4000-8000-000000000000", "restApiKey": key}
    answer = await ops.call("PUT", "/v1/apps/shop", json={"name": "Shop", "oneSignal": one_signal})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"].endswith("oneSignal.restApiKey")


@respx.mock(base_url=ONESIGNAL)
async def test_key_is_taken_without_the_line_break_that_was_copied_with_it(
    ops: Ops, respx_mock: respx.MockRouter
) -> None:
    one_signal = {"appId": "8a1e1c1c-0000-4000-8000-000000000000", "restApiKey": " os_v2_app_x\n"}
    await ops.ok("PUT", "/v1/apps/shop", json={"name": "Shop", "oneSignal": one_signal})
    route = respx_mock.get(path__startswith="/apps/").respond(200, json={})
    assert (await tried(ops))["result"] == "ok"
    assert route.calls[0].request.headers["Authorization"] == "Key os_v2_app_x"
