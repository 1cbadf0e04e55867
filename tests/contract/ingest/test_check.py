"""Requests of `carillon('check')`: no answer shows red in the console, and nothing is stored."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.contract.ingest.requests import LOGIN_HASH
from tests.support.ingest_api import Api


def identify(**data: Any) -> dict[str, Any]:
    return {"type": "identify", "visitorId": "carillon-check", "data": data}


async def test_i13_an_empty_request_is_no_refusal(client: httpx.AsyncClient, api: Api) -> None:
    answer = await client.post("/v1/events?key=wk_open&check=1", content=b"[]")
    assert (answer.status_code, answer.json()) == (202, {"accepted": 0, "rejected": []})
    assert (await client.post("/v1/events?key=wk_open", content=b"[]")).status_code == 422
    assert (await client.post("/v1/events?key=wk_open&check=1", content=b"[{}]")).status_code == 422
    assert (await client.post("/v1/events?key=wk_none&check=1", content=b"[]")).status_code == 401
    assert api.log.events == []


async def test_i13_a_webhook_key_is_looked_at(client: httpx.AsyncClient, api: Api) -> None:
    hook = "/v1/webhooks/onesignal/"
    answer = await client.post(f"{hook}wh_shop?check=1", content=b"{}")
    assert (answer.status_code, answer.json()) == (202, {"accepted": 0, "rejected": []})
    assert (await client.post(f"{hook}wh_shop", content=b"{}")).status_code == 422
    assert (await client.post(f"{hook}wh_none?check=1", content=b"{}")).status_code == 401
    assert api.log.events == []


@pytest.mark.parametrize(
    ("proof", "codes"),
    [(LOGIN_HASH, []), ("f" * 64, ["login_unproven"]), (None, ["login_unproven"])],
)
async def test_i13_a_proof_is_looked_at_and_nothing_stored(
    client: httpx.AsyncClient, api: Api, proof: str | None, codes: list[str]
) -> None:
    event = identify(login="eva", loginHash=proof)
    answer = await client.post("/v1/check?key=wk_proof", json=event)
    assert (answer.status_code, answer.json()["accepted"]) == (202, 1)
    assert [one["code"] for one in answer.json().get("warnings", [])] == codes
    assert api.log.events == []


async def test_i13_refusals_of_a_check_are_answers(client: httpx.AsyncClient, api: Api) -> None:
    answer = await client.post("/v1/check?key=wk_proof", json=identify(login="undefined"))
    assert answer.status_code == 202
    assert [one["code"] for one in answer.json()["rejected"]] == ["placeholder_login"]
    assert (await client.post("/v1/check?key=wk_none", json=[])).status_code == 401
    answer = await client.post("/v1/check?key=wk_proof", content=b" " * 33_000)
    assert answer.status_code == 413
    assert api.log.events == []
