"""Guessing tokens of the ops API: limited by address, counted, logged without the token."""

from __future__ import annotations

import logging

import pytest
from prometheus_client import REGISTRY

from sender_service.ops.guesses import BURST
from tests.contract.sender.conftest import Api, client


def _refused(reason: str) -> float:
    return REGISTRY.get_sample_value("carillon_ops_tokens_refused_total", {"reason": reason}) or 0.0


async def test_b8_guessing_is_limited_counted_and_logged(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    wrong, limited = _refused("wrong"), _refused("limited")
    with caplog.at_level(logging.WARNING, "carillon.ops"):
        async with client(api.sender, "8.8.8.8") as http:
            answers = [
                await http.get("/v1/apps", headers={"Authorization": f"Bearer guess-{i}"})
                for i in range(BURST + 20)
            ]
            late = await http.get("/v1/apps", headers={"Authorization": "Bearer ops_demo"})
    assert [a.status_code for a in answers] == [401] * BURST + [429] * 20
    assert answers[-1].json()["code"] == "too_many_guesses"
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert late.status_code == 429  # or one who guesses would learn it
    assert (_refused("wrong") - wrong, _refused("limited") - limited) == (BURST, 21)
    lines = [record for record in caplog.records if record.name == "carillon.ops"]
    assert len(lines) == BURST and len({vars(line)["from"] for line in lines}) == 1
    logged = " ".join(str(vars(line)) for line in lines)
    assert "guess-" not in logged and "8.8.8" not in logged


async def test_b8_others_guesses_lock_nobody_out(api: Api) -> None:
    async with client(api.sender, "8.8.8.8", Authorization="Bearer ops_demo") as http:
        assert (await http.get("/v1/apps")).status_code == 200
        for i in range(2 * BURST):
            await http.get("/v1/apps", headers={"Authorization": f"Bearer guess-{i}"})
        assert (await http.get("/v1/apps")).status_code == 200  # was right from here before


async def test_no_token_is_no_guess(api: Api) -> None:
    async with client(api.sender, "9.9.9.9") as http:
        for _ in range(2 * BURST):
            assert (await http.get("/v1/apps")).status_code == 401
        right = await http.get("/v1/apps", headers={"Authorization": "Bearer ops_demo"})
    assert right.status_code == 200
