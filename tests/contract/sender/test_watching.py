"""`trigger`: by the ops API alone; `--watch` follows it, and says what there is to say."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import respx

from sender_service.__main__ import main
from sender_service.cli.ops import ApiError, open_api
from sender_service.cli.screen import open_console
from sender_service.cli.sends import account_table, describe
from sender_service.cli.trigger import watch
from sender_service.ops.responses.sends import SendResponse
from shared.settings import Settings
from tests.contract.sender import commands
from tests.contract.sender.commands import AT, SEND

URL = "http://ops.test"
ACCOUNT: dict[str, Any] = {**commands.ACCOUNT, "closedAt": AT}
OPEN = {**ACCOUNT, "state": "sending", "closedAt": None}
PAUSED_BY_LIMIT = {
    "code": "message_limit",
    "message": "held: message limit",
    "until": "2026-11-22T16:15:00.000Z",
}
NOBODY = {
    **ACCOUNT, "audience": 0, "sent": 0, "suppressed": {},
    "warnings": [{"field": "audience", "code": "nobody_reached", "message": "nobody was reached: …"}],
}  # fmt: skip
TRIGGER = ("trigger", "--app", "shop", "--campaign", "hello", "--url", URL)


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARILLON_OPS__TOKEN", "cot_test")
    monkeypatch.setenv("CARILLON_KAFKA__BOOTSTRAP_SERVERS", "127.0.0.1:1")  # nobody is there


async def watched() -> tuple[SendResponse, str]:
    screen = io.StringIO()
    async with open_api(Settings(), URL) as http:
        account = await watch(http, SEND, open_console(screen, width=200))
    return account, screen.getvalue()


@respx.mock(base_url=URL)
def test_n9_trigger_is_sent_by_the_ops_api(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    route = respx_mock.post("/v1/sends").respond(202, json=OPEN)
    assert main([*TRIGGER, "--login", "ann", "--login", "bob", "--id", SEND]) == 0
    assert orjson.loads(route.calls[0].request.content) == {
        "id": SEND, "app": "shop", "campaign": "hello", "priority": "marketing", "variables": {},
        "recipients": [{"login": "ann"}, {"login": "bob"}],
    }  # fmt: skip
    assert capsys.readouterr().out == f"{SEND}\n"


@respx.mock(base_url=URL)
def test_n9_list_is_uploaded_one_a_line(respx_mock: respx.MockRouter, tmp_path: Path) -> None:
    route = respx_mock.post("/v1/sends").respond(202, json=OPEN)
    path = tmp_path / "people.ndjson"
    path.write_bytes(b'\xef\xbb\xbf{"login": "ann"}\n' + b'{"visitor": "v1"}\n' * 40_000)
    assert main([*TRIGGER, "--list", str(path)]) == 0
    request = route.calls[0].request
    assert request.headers["Content-Type"] == "application/x-ndjson"
    head, first, *rest = request.content.splitlines()
    assert orjson.loads(head).keys() == {"id", "app", "campaign", "priority", "variables"}
    assert orjson.loads(first) == {"login": "ann"} and len(rest) == 40_000
    assert main([*TRIGGER, "--list", str(tmp_path / "none")]) == 1
    assert main([*TRIGGER, "--list", str(path), "--all"]) == 1 and len(route.calls) == 1


@respx.mock(base_url=URL)
def test_n9_unknown_outcome_explains_how_to_ask_again(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    respx_mock.post("/v1/sends").mock(side_effect=httpx.ReadTimeout)
    assert main([*TRIGGER, "--all", "--id", SEND]) == 3
    assert f"--id {SEND}" in capsys.readouterr().err


@respx.mock(base_url=URL)
async def test_it_waits_while_the_api_is_unwell_and_shows_the_closed_account(
    respx_mock: respx.MockRouter,
) -> None:
    answers = [
        httpx.Response(503),
        httpx.Response(200, json=OPEN),
        httpx.Response(200, json=ACCOUNT),
    ]
    respx_mock.get(f"/v1/sends/{SEND}").mock(side_effect=answers)
    account, screen = await watched()
    assert account == SendResponse.model_validate(ACCOUNT) and "suppressed: unsubscribed" in screen


@respx.mock(base_url=URL)
async def test_send_that_is_gone_ends_the_watch(respx_mock: respx.MockRouter) -> None:
    gone = {"code": "unknown_send", "message": "no such send"}
    respx_mock.get(f"/v1/sends/{SEND}").respond(404, json=gone)
    with pytest.raises(ApiError, match="no such send"):
        await watched()


@pytest.mark.parametrize(
    ("reason", "line"),
    [
        (PAUSED_BY_LIMIT, "sending, held: message limit until 2026-11-22T16:15:00.000Z"),
        ({"code": "app_stopped", "message": "app stopped: 403", "until": None},
         "sending, app stopped: 403"),
        ({"code": "quiet_hours", "message": "quiet hours", "until": AT},
         f"sending, quiet hours until {AT}"),
    ],
)  # fmt: skip
@respx.mock(base_url=URL)
async def test_n19_show_and_watch_print_the_same(
    respx_mock: respx.MockRouter, reason: dict[str, Any], line: str
) -> None:
    send = {**OPEN, "waiting": [reason]}
    account = SendResponse.model_validate(send)
    assert describe(account) == line and line in str(account_table(account).title)
    # A pipe sees the progress as it is left: the account that is closed says it last.
    respx_mock.get(f"/v1/sends/{SEND}").respond(json={**send, "closedAt": ACCOUNT["closedAt"]})
    _, screen = await watched()
    assert screen.count(line) == 2


def test_n19_state_that_is_its_own_reason_is_printed_once() -> None:
    paused = {"code": "paused", "message": "paused", "until": None}
    at = {"code": "scheduled", "message": "scheduled", "until": AT}
    for reason, line in ((paused, "paused"), (at, f"scheduled until {AT}")):
        send = {**OPEN, "state": reason["code"], "waiting": [reason]}
        assert describe(SendResponse.model_validate(send)) == line


@pytest.mark.parametrize(("target", "code"), [(("--login", "x"), 1), (("--all",), 0)])
@respx.mock(base_url=URL)
def test_n20_nobody_named_was_reached(
    respx_mock: respx.MockRouter,
    capsys: pytest.CaptureFixture[str],
    target: tuple[str, ...],
    code: int,
) -> None:
    respx_mock.post("/v1/sends").respond(202, json=OPEN)
    respx_mock.get(f"/v1/sends/{SEND}").respond(json=NOBODY)
    assert main([*TRIGGER, *target, "--watch"]) == code
    assert "nobody was reached" in capsys.readouterr().err


@respx.mock(base_url=URL)
def test_refused_send_ends_with_one(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = {**ACCOUNT, "state": "refused", "error": "campaign_disabled: off"}
    respx_mock.post("/v1/sends").respond(202, json=refused)
    assert main([*TRIGGER, "--all"]) == 1
    assert "campaign_disabled" in capsys.readouterr().err


@pytest.mark.parametrize("visitor", ["", "a b", "ž", "x" * 65, "a/b"])
def test_visitor_that_nobody_can_be_is_refused(
    visitor: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["trigger", "--app", "a", "--campaign", "c", "--visitor", visitor]) == 1
    assert "--visitor" in capsys.readouterr().err
