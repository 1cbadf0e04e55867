"""The commands: what they ask of the ops API, what they print, how they end."""

from __future__ import annotations

import argparse
from typing import Any

import httpx
import orjson
import pytest
import respx

from sender_service.__main__ import main
from sender_service.ops import examples
from tests.contract.sender.commands import ACCOUNT, AT, SEND, URL, run

CLOSED = {**ACCOUNT, "closedAt": AT}
REPORT = {
    **examples.REPORT, "clickRate": 0.5,
    "browsers": [{"browser": "Safari", "sent": 3, "measurable": 0, "impressions": 0, "clicks": 0,
                  "closes": 0, "impressionRate": None, "clickRate": None}],
}  # fmt: skip


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set a token."""
    monkeypatch.setenv("CARILLON_OPS__TOKEN", "cot_test")


@respx.mock(base_url=URL)
def test_send_is_returned(respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str]) -> None:
    route = respx_mock.get(f"/v1/sends/{SEND}").respond(json=ACCOUNT)
    assert run("send", "show", SEND) == 0
    assert route.calls[0].request.headers["Authorization"] == "Bearer cot_test"
    screen = capsys.readouterr().out
    assert "suppressed: unsubscribed" in screen and "done" in screen
    (nobody,) = [line for line in screen.splitlines() if "no player" in line]
    assert "5" in nobody


@pytest.mark.parametrize("action", ["pause", "resume", "cancel"])
@respx.mock(base_url=URL)
def test_send_is_changed(respx_mock: respx.MockRouter, action: str) -> None:
    route = respx_mock.post(f"/v1/sends/{SEND}/{action}").respond(json=ACCOUNT)
    assert run("send", action, SEND) == 0
    assert route.called


@respx.mock(base_url=URL)
def test_json_is_the_answer_as_it_is(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    respx_mock.get(f"/v1/sends/{SEND}").respond(json=ACCOUNT)
    assert run("send", "show", SEND, "--json") == 0
    assert orjson.loads(capsys.readouterr().out) == ACCOUNT


@pytest.mark.parametrize(
    ("status", "body", "code", "message"),
    [
        (404, {"code": "unknown_send", "message": "no such send"}, 1, "no such send"),
        (401, {"code": "unauthorized", "message": "a token is needed"}, 1, "CARILLON_OPS__TOKEN"),
        (503, {"code": "mongo_unavailable", "message": "MongoDB: away"}, 3, "MongoDB: away"),
        (502, None, 3, "answers 502"),
    ],
)
@respx.mock(base_url=URL)
def test_refusals_are_one_sentence(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str], status: int, body: Any,
    code: int, message: str,
) -> None:  # fmt: skip
    answer = httpx.Response(status, json=body) if body else httpx.Response(status, text="<html>")
    respx_mock.get(f"/v1/sends/{SEND}").mock(return_value=answer)
    assert run("send", "show", SEND) == code
    output = capsys.readouterr()
    assert message in output.err and output.out == "" and output.err.count("\n") == 1


@respx.mock(base_url=URL)
def test_absent_api_is_reported(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    respx_mock.get(f"/v1/sends/{SEND}").mock(side_effect=httpx.ConnectError)
    assert run("send", "show", SEND) == 3
    assert "can't be reached" in capsys.readouterr().err


@respx.mock(base_url=URL)
def test_why_goes_by_a_name_that_stays_out_of_paths(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    person = {**examples.PERSON_FOUND, "id": "p" * 32}
    search = respx_mock.post("/v1/people/search").respond(json={"items": [person]})
    why = respx_mock.get(f"/v1/people/{'p' * 32}/why").respond(json=examples.WHY)
    assert run("why", "--app", "shop", "--login", "jana", "--send", SEND) == 0
    assert orjson.loads(search.calls[0].request.content) == {"app": "shop", "login": "jana"}
    assert why.calls[0].request.url.params["send"] == SEND
    assert "capped" in capsys.readouterr().out


@respx.mock(base_url=URL)
def test_why_of_nobody_fails(respx_mock: respx.MockRouter) -> None:
    respx_mock.post("/v1/people/search").respond(json={"items": []})
    assert run("why", "--app", "shop", "--player", "x") == 1


@respx.mock(base_url=URL)
def test_report_has_rates_only_where_someone_reports(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    respx_mock.get("/v1/apps/shop/campaigns/hello/report").respond(json=REPORT)
    assert run("campaign", "report", "--app", "shop", "--campaign", "hello") == 0
    screen = capsys.readouterr().out
    assert "50.0%" in screen
    safari = next(line for line in screen.splitlines() if "Safari" in line)
    assert "%" not in safari


@respx.mock(base_url=URL)
def test_push_is_tried_on_one_player(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    route = respx_mock.post("/v1/apps/shop/campaigns/hello/test").respond(202, json=CLOSED)
    test = ("campaign", "test", "--app", "shop", "--campaign", "hello", "--player", "x")
    assert run(*test, "--variables", '{"name": "Ann"}') == 0
    body = {"player": "x", "variables": {"name": "Ann"}}
    assert orjson.loads(route.calls[0].request.content) == body
    assert "hello" in capsys.readouterr().out
    assert run(*test, "--variables", "{") == 1 and len(route.calls) == 1


@respx.mock(base_url=URL)
def test_replay_reports_what_did_not_work(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    items = [{"id": "1", "replayed": True}, {"id": "2", "replayed": False, "code": "truncated"}]
    route = respx_mock.post("/v1/dead-letters/replay").respond(json={"items": items})
    assert run("dead-letters", "replay", "1", "2") == 1
    assert orjson.loads(route.calls[0].request.content) == {"ids": ["1", "2"]}
    output = capsys.readouterr()
    assert "truncated" in output.out and "1 of 2" in output.err


@respx.mock(base_url=URL)
def test_dead_letters_are_listed_by_filters(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    dead_letter = {**examples.DEAD_LETTER_EXAMPLE, "message": "m"}
    route = respx_mock.get("/v1/dead-letters").respond(json={"items": [dead_letter]})
    assert run("dead-letters", "list", "--code", "c") == 0
    assert dict(route.calls[0].request.url.params) == {"code": "c", "limit": "50"}
    assert "\tm\t" in capsys.readouterr().out


@respx.mock(base_url=URL)
def test_new_token_is_alone_on_stdout(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    route = respx_mock.post("/v1/tokens").respond(
        201, json={**examples.NEW_TOKEN, "token": "cot_new"}
    )
    assert run("token", "create", "--name", "job", "--role", "operate", "--app", "demo") == 0
    body = orjson.loads(route.calls[0].request.content)
    assert body == {"name": "job", "role": "operate", "apps": ["demo"], "expiresAt": None}
    assert capsys.readouterr().out == "cot_new\n"


@respx.mock(base_url=URL)
def test_b7_token_names_its_apps(respx_mock: respx.MockRouter) -> None:
    route = respx_mock.post("/v1/tokens").respond(
        201, json={**examples.NEW_TOKEN, "token": "cot_new"}
    )
    create = ("token", "create", "--name", "job", "--role", "read")
    assert run(*create, "--app", "demo", "--app", "other") == 0
    assert run(*create, "--all-apps") == 0
    requested = [orjson.loads(call.request.content)["apps"] for call in route.calls]
    assert requested == [["demo", "other"], "all"]
    for wrong in ((), ("--app", "demo", "--all-apps")):
        with pytest.raises(SystemExit):
            run(*create, *wrong)


@respx.mock(base_url=URL)
def test_erase_and_undo_ask_for_what_cannot_be_undone(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    erase = respx_mock.post("/v1/people/p1/erase").respond(
        202, json={"person": "p1", "count": 1, "events": ["e"]}
    )
    undo = respx_mock.post("/v1/people/p1/merges/undo")
    undo.respond(202, json={"person": "p1", "event": "e"})
    assert run("person", "erase", "p1") == 1 and not erase.called
    assert run("person", "erase", "p1", "--yes") == 0 and erase.called
    assert run("person", "undo-merge", "p1", "--merge", "m" * 32) == 0
    assert orjson.loads(undo.calls[0].request.content) == {"merge": "m" * 32}


@pytest.mark.parametrize(
    "arguments",
    [
        ("send",),
        ("app", "resume"),
        ("campaign", "put", "--app", "a", "--campaign", "b"),
        ("send", "show"),
        ("why", "--app", "a"),
        ("why", "--app", "a", "--login", "x", "--player", "y"),
        ("token", "create", "--name", "x", "--role", "root"),
    ],
)
def test_wrong_arguments_end_with_two(arguments: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    assert ended.value.code == 2


def test_service_and_trigger_are_still_there() -> None:
    with pytest.raises((SystemExit, argparse.ArgumentError)) as ended:
        main(["trigger", "--help"])
    assert getattr(ended.value, "code", None) == 0
