"""Commands on an ops API of another version: what they ignore, and what ends them."""

from __future__ import annotations

import httpx
import orjson
import pytest
import respx

from sender_service.ops.examples import SEND_HEAD
from tests.contract.sender.commands import ACCOUNT, AT, SEND, URL, run


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARILLON_OPS__TOKEN", "cot_test")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (httpx.Response(200, json={**ACCOUNT, "state": "napping"}), "(state): is the sender of"),
        (httpx.Response(200, json={**ACCOUNT, "people": None}), "(people): is the sender of"),
        (httpx.Response(200, json=[]), "another version"),
        (httpx.Response(200, text="<html>"), "no JSON"),
    ],
)
@respx.mock(base_url=URL)
def test_answer_of_another_version_is_one_sentence(
    respx_mock: respx.MockRouter,
    capsys: pytest.CaptureFixture[str],
    answer: httpx.Response,
    message: str,
) -> None:
    respx_mock.get(f"/v1/sends/{SEND}").mock(return_value=answer)
    assert run("send", "show", SEND) == 3
    output = capsys.readouterr()
    assert message in output.err and output.out == "" and output.err.count("\n") == 1
    assert "napping" not in output.err


@respx.mock(base_url=URL)
def test_keys_of_a_newer_server_are_no_fault(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    newer = {**ACCOUNT, "mood": "fine"}
    respx_mock.get(f"/v1/sends/{SEND}").respond(json=newer)
    assert run("send", "show", SEND, "--json") == 0
    assert orjson.loads(capsys.readouterr().out) == newer


@respx.mock(base_url=URL)
def test_list_of_several_answers_keeps_keys_of_a_newer_server(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    fine, tired = {**SEND_HEAD, "mood": "fine"}, {**SEND_HEAD, "mood": "tired"}
    pages = [{"items": [fine], "next": AT}, {"items": [tired], "next": None}]
    sends = respx_mock.get("/v1/sends")
    sends.side_effect = [httpx.Response(200, json=page) for page in pages]
    assert run("send", "list", "--json") == 0
    assert orjson.loads(capsys.readouterr().out) == {"items": [fine, tired], "next": None}
    assert sends.calls.last.request.url.params["before"] == AT
