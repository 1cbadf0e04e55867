"""Names that can't be read, as the command line shows them."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
import respx

from sender_service.cli import campaigns
from sender_service.ops.examples import PREVIEW
from tests.contract.sender.commands import ACCOUNT, SEND, URL, run


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set a screen that is wide enough for all cells, and a token."""
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("CARILLON_OPS__TOKEN", "cot_test")


@respx.mock(base_url=URL)
def test_f18_bad_names_of_a_send_are_printed(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = [{"index": 17, "code": "id_type", "message": "must be a string or a whole number"},
           {"part": 2, "index": 3, "code": "visitor_id", "message": "has odd letters"}]  # fmt: skip
    people = {"sent": 3, "pending": 0, "failed": 0, "suppressed": 1, "no_player": 5, "malformed": 2}
    respx_mock.get(f"/v1/sends/{SEND}").respond(
        json={**ACCOUNT, "people": people, "malformed": bad}
    )
    assert run("send", "show", SEND) == 0
    screen = capsys.readouterr().out
    assert "names that can't be read" in screen
    assert "name 17" in screen and "part 2, name 3" in screen and "has odd letters" in screen


TARGET = ("--app", "shop", "--campaign", "hello")
NOBODY = {"index": 0, "code": "placeholder_login", "message": "names nobody"}


def _left_out(count: int, *names: dict[str, object]) -> dict[str, object]:
    return {**ACCOUNT, "people": {**ACCOUNT["people"], "malformed": count}, "malformed": names}


@respx.mock(base_url=URL)
def test_n18_trigger_lists_names_that_are_left_out(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    respx_mock.post("/v1/sends").respond(202, json=_left_out(1, NOBODY))
    assert run("trigger", *TARGET, "--login", "undefined", "--login", "a") == 0
    printed = capsys.readouterr()
    assert printed.out == f"{SEND}\n"
    assert printed.err.splitlines() == [
        "left out: 1 of the names given",
        "  --login undefined: names nobody",
    ]


@respx.mock(base_url=URL)
def test_n18_lines_are_counted_as_in_the_file_and_the_first_few_are_printed(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    bad = [{**NOBODY, "index": n, "message": f"line {n + 1}: names nobody"} for n in range(1, 8)]
    route = respx_mock.post("/v1/sends").respond(202, json=_left_out(250, *bad))
    file = tmp_path / "list.ndjson"
    file.write_text('{"login": "a"}\n{"login": "undefined"}\n')
    assert run("trigger", *TARGET, "--list", str(file)) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["left out: 250 of the names given", "  line 2: names nobody"]
    assert lines[-1] == "  and 245 more" and len(lines) == 7
    assert route.calls[0].request.url.params["firstLine"] == "0"


@respx.mock(base_url=URL)
def test_n18_trigger_of_nobody_that_is_left_is_no_success(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = {"state": "refused", "error": "no_recipients: recipients: none of 1 names"}
    respx_mock.post("/v1/sends").respond(202, json={**_left_out(1, NOBODY), **refused})
    assert run("trigger", *TARGET, "--login", "undefined") == 1
    assert "no_recipients" in capsys.readouterr().err


@respx.mock(base_url=URL)
def test_n18_preview_lists_them_too(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    preview = {**PREVIEW, "people": {**PREVIEW["people"], "malformed": 1}, "malformed": [NOBODY]}
    respx_mock.post("/v1/sends/preview").respond(json=preview)
    assert run("preview", *TARGET, "--login", "undefined", "--login", "a") == 0
    assert "  --login undefined: names nobody" in capsys.readouterr().err.splitlines()


TEST = ("campaign", "test", *TARGET, "--player", "1dd608f2-c6a1-11e3-851d-000c2940e62c")
OPEN = {**ACCOUNT, "state": "planning", "closedAt": None, "sent": 0, "suppressed": {}}
CLOSED = {**OPEN, "state": "done", "closedAt": "2026-11-22T16:00:00.000Z"}


@pytest.mark.parametrize(
    ("outcome", "code", "text"),
    [
        ({"sent": 1}, 0, ""),
        ({"suppressed": {"invalid": 1}}, 1, "the push was not sent: invalid (suppressed)"),
        ({"failed": {"bad_variables": 1}}, 1, "the push was not sent: bad_variables (failed)"),
        ({}, 1, "the app knows no such player"),
        ({"state": "refused", "error": "campaign_disabled: off"}, 1, "campaign_disabled"),
    ],
)
@respx.mock(base_url=URL)
def test_n18_campaign_test_reports_its_outcome(
    respx_mock: respx.MockRouter,
    capsys: pytest.CaptureFixture[str],
    outcome: dict[str, object],
    code: int,
    text: str,
) -> None:
    respx_mock.post("/v1/apps/shop/campaigns/hello/test").respond(202, json=OPEN)
    answers = [httpx.Response(503), httpx.Response(200, json={**CLOSED, **outcome})]
    respx_mock.get(f"/v1/sends/{SEND}").mock(side_effect=answers)
    assert run(*TEST) == code
    assert text in capsys.readouterr().err


@respx.mock(base_url=URL)
def test_n18_campaign_test_waits_no_longer_than_it_may(
    respx_mock: respx.MockRouter,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(campaigns, "TEST_SECONDS", 0.4)
    respx_mock.post("/v1/apps/shop/campaigns/hello/test").respond(202, json=OPEN)
    respx_mock.get(f"/v1/sends/{SEND}").respond(json=OPEN)
    assert run(*TEST) == 1
    assert "still planning" in capsys.readouterr().err
