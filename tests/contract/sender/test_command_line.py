"""The commands: what they ask of the ops API, what they print, how they end."""

from __future__ import annotations

import argparse
import io
import uuid
from typing import Any

import httpx
import orjson
import pytest
import respx

from sender_service.__main__ import main

URL = "http://ops.test"
SEND = "0b6c2a1e-58d4-4b8a-9a61-0f4c1f2a7d10"
ACCOUNT = {
    "id": SEND, "campaign": "hello", "state": "done", "error": None, "audience": 4, "sent": 3,
    "pending": 0, "suppressed": {"unsubscribed": 1}, "failed": {}, "impressions": 2, "clicks": 1,
    "closes": 0, "people": {"sent": 3, "pending": 0, "failed": 0, "suppressed": 1, "no_player": 5},
}  # fmt: skip
REPORT = {
    **ACCOUNT, "sends": 1, "measurable": 2, "clickRate": 0.5,
    "variants": [{"variant": "a", "sent": 3, "measurable": 2, "impressions": 2, "clicks": 1,
                  "closes": 0, "clickRate": 0.5}],
    "browsers": [{"browser": "Safari", "sent": 3, "measurable": 0, "impressions": 0, "clicks": 0,
                  "closes": 0, "clickRate": None}],
}  # fmt: skip


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token."""
    monkeypatch.setenv("CARILLON_OPS__TOKEN", "cot_test")


def run(*arguments: str) -> int:
    return main([*arguments, "--url", URL])


@respx.mock(base_url=URL)
def test_send_is_shown(respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str]) -> None:
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
    ("status", "body", "code", "said"),
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
    code: int, said: str,
) -> None:  # fmt: skip
    answer = httpx.Response(status, json=body) if body else httpx.Response(status, text="<html>")
    respx_mock.get(f"/v1/sends/{SEND}").mock(return_value=answer)
    assert run("send", "show", SEND) == code
    told = capsys.readouterr()
    assert said in told.err and told.out == "" and told.err.count("\n") == 1


@respx.mock(base_url=URL)
def test_absent_api_is_said_so(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    respx_mock.get(f"/v1/sends/{SEND}").mock(side_effect=httpx.ConnectError)
    assert run("send", "show", SEND) == 3
    assert "can't be reached" in capsys.readouterr().err


@respx.mock(base_url=URL)
def test_why_goes_by_a_name_that_stays_out_of_paths(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    search = respx_mock.post("/v1/people/search").respond(json={"items": [{"id": "p" * 32}]})
    item = {"campaign": "hello", "send": SEND, "player": "x", "outcome": "suppressed",
            "reason": "capped", "at": None}  # fmt: skip
    why = respx_mock.get(f"/v1/people/{'p' * 32}/why").respond(json={"items": [item]})
    assert run("why", "--app", "shop", "--login", "jana", "--send", SEND) == 0
    assert orjson.loads(search.calls[0].request.content) == {"app": "shop", "login": "jana"}
    assert why.calls[0].request.url.params["send"] == SEND
    assert "capped" in capsys.readouterr().out


@respx.mock(base_url=URL)
def test_why_of_nobody_fails(respx_mock: respx.MockRouter) -> None:
    respx_mock.post("/v1/people/search").respond(json={"items": []})
    assert run("why", "--app", "shop", "--player", "x") == 1


@respx.mock(base_url=URL)
def test_report_has_rates_only_where_somebody_reports(
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
    route = respx_mock.post("/v1/apps/shop/campaigns/hello/test").respond(202, json=ACCOUNT)
    test = ("campaign", "test", "--app", "shop", "--campaign", "hello", "--player", "x")
    assert run(*test, "--variables", '{"name": "Ann"}') == 0
    body = {"player": "x", "variables": {"name": "Ann"}}
    assert orjson.loads(route.calls[0].request.content) == body
    assert "hello" in capsys.readouterr().out
    assert run(*test, "--variables", "{") == 1 and len(route.calls) == 1


@respx.mock(base_url=URL)
def test_replay_tells_what_did_not_work(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    items = [{"id": "1", "replayed": True}, {"id": "2", "replayed": False, "code": "cut"}]
    route = respx_mock.post("/v1/dead-letters/replay").respond(json={"items": items})
    assert run("dead-letters", "replay", "1", "2") == 1
    assert orjson.loads(route.calls[0].request.content) == {"ids": ["1", "2"]}
    told = capsys.readouterr()
    assert "cut" in told.out and "1 of 2" in told.err


@respx.mock(base_url=URL)
def test_letters_are_listed_by_filters(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    letter = {"id": "1", "at": "2026", "topic": "t", "stage": "s", "code": "c", "message": "m"}
    route = respx_mock.get("/v1/dead-letters").respond(json={"items": [letter]})
    assert run("dead-letters", "list", "--code", "c") == 0
    assert dict(route.calls[0].request.url.params) == {"code": "c", "limit": "50"}
    assert "\tm\t" in capsys.readouterr().out


@respx.mock(base_url=URL)
def test_new_token_is_alone_on_stdout(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    route = respx_mock.post("/v1/tokens").respond(201, json={"token": "cot_new", "id": "1"})
    assert run("token", "create", "--name", "job", "--role", "operate", "--app", "demo") == 0
    body = orjson.loads(route.calls[0].request.content)
    assert body == {"name": "job", "role": "operate", "apps": ["demo"], "expiresAt": None}
    assert capsys.readouterr().out == "cot_new\n"


@respx.mock(base_url=URL)
def test_b7_token_names_its_apps(respx_mock: respx.MockRouter) -> None:
    route = respx_mock.post("/v1/tokens").respond(201, json={"token": "cot_new", "id": "1"})
    create = ("token", "create", "--name", "job", "--role", "read")
    assert run(*create, "--app", "demo", "--app", "other") == 0
    assert run(*create, "--all-apps") == 0
    said = [orjson.loads(call.request.content)["apps"] for call in route.calls]
    assert said == [["demo", "other"], "all"]
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


@pytest.mark.parametrize(
    ("proof", "warnings"),
    [
        ({"required": True, "secret": "masked"}, 0),
        ({"required": True, "secret": None}, 1),
        ({"required": False, "secret": None}, 2),
    ],
)
@respx.mock(base_url=URL)
def test_a6_app_show_warns_of_optional_proof(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str], proof: Any, warnings: int
) -> None:
    app = {"id": "shop", "loginHash": proof}
    respx_mock.get("/v1/apps/shop").respond(json=app)
    assert run("app", "show", "shop") == 0
    told = capsys.readouterr()
    assert orjson.loads(told.out) == app
    assert told.err.count("warning: loginHash.") == told.err.count("\n") == warnings


IDS = [str(uuid.UUID(int=n)) for n in (1, 2)]
LISTED = {"id": SEND, "state": "done", "app": "shop", "campaign": "hello", "priority": "marketing",
          "createdAt": "2026-11-22T16:00:00.000Z", "sent": 3, "audience": 4, "error": None}  # fmt: skip


@respx.mock(base_url=URL)
def test_n11_sends_are_listed_page_by_page(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    """An answer may be short, or empty, and say where to go on."""
    pages = [{"items": [], "next": "t1"}, {"items": [LISTED], "next": None}]
    route = respx_mock.get("/v1/sends").mock(
        side_effect=[httpx.Response(200, json=page) for page in pages]
    )
    assert run("send", "list", "--app", "shop", "--state", "done") == 0
    assert dict(route.calls[1].request.url.params) == {
        "app": "shop", "state": "done", "limit": "20", "before": "t1"
    }  # fmt: skip
    head, line = capsys.readouterr().out.splitlines()
    assert head.split("\t")[:2] == ["id", "state"] and line.split("\t")[0] == SEND


@respx.mock(base_url=URL)
def test_n10_pipes_get_whole_ids_and_tabs(
    respx_mock: respx.MockRouter,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    letters = [
        {"id": i, "at": "2026", "topic": "t", "code": "c", "message": "a\tb\nc"} for i in IDS
    ]
    respx_mock.get("/v1/dead-letters").respond(json={"items": letters})
    assert run("dead-letters", "list") == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head == "at\ttopic\tstage\tcode\tmessage\tid\treplayed"
    assert lines == [f"2026\tt\t-\tc\ta b c\t{name}\t-" for name in IDS]


@pytest.mark.parametrize("token", ["cot_ž", "cot_a b", "", "cot_\x7f"])
def test_f20_token_that_no_header_holds_is_a_sentence(
    token: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARILLON_OPS__TOKEN", token)
    assert run("app", "list") == 2
    told = capsys.readouterr().err
    assert "CARILLON_OPS__TOKEN" in told and told.count("\n") == 1
    assert not token or token not in told


@respx.mock(base_url=URL)
def test_f20_token_is_stripped(
    respx_mock: respx.MockRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARILLON_OPS__TOKEN", " cot_test\r\n")
    route = respx_mock.get("/v1/apps").respond(json={"items": []})
    assert run("app", "list") == 0
    assert route.calls[0].request.headers["Authorization"] == "Bearer cot_test"


def test_f20_argument_that_is_no_text_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("person", "search", "--app", "shop", "--login", "\udcff") == 2
    assert run("trigger", "--app", "a", "--campaign", "c", "--login", "\udcff") == 2
    assert capsys.readouterr().err.count("no text in UTF-8") == 2


@respx.mock(base_url=URL)
def test_n6_app_create_prints_what_its_pages_get(
    respx_mock: respx.MockRouter,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("os_v2_app_secret\n"))
    app = {"origins": ["https://shop.test"], "snippet": {"workerPath": "/OneSignalSDKWorker.js"}}
    put = respx_mock.put("/v1/apps/myshop").respond(json=app)
    refused = {"result": "key_refused", "message": "no", "warnings": []}
    respx_mock.post("/v1/apps/myshop/test-connection").respond(json=refused)
    create = ("app", "create", "myshop", "--name", "My shop", "--onesignal-app-id", IDS[0])
    more = (
        "--origin",
        "https://shop.test",
        "--ingest-url",
        "https://in.test/",
        "--time-zone",
        "UTC",
    )
    assert run(*create, *more, "--onesignal-key-stdin") == 1  # stored, but OneSignal says no
    request = put.calls[0].request
    body = orjson.loads(request.content)
    keys = {key["kind"]: key["key"] for key in body["keys"]}
    assert request.headers["If-None-Match"] == "*" and body["timeZone"] == "UTC"
    assert body["oneSignal"]["restApiKey"] == "os_v2_app_secret"
    assert keys.keys() == {"write", "server", "webhook", "stream"}
    assert body["snippet"]["webhookKey"] == keys["webhook"]
    told = capsys.readouterr()
    assert f'src="https://in.test/v1/snippet.js?key={keys["write"]}"' in told.out
    assert f'"https://in.test/v1/webhooks/onesignal/{keys["webhook"]}"' in told.out
    assert "importScripts(" in told.out and body["loginHash"]["secret"] in told.out
    assert "os_v2_app_secret" not in told.out + told.err and "app put" in told.err
    assert run(*create, *more) == 1  # nothing to ask at: no terminal
    assert "--onesignal-key-stdin" in capsys.readouterr().err and len(put.calls) == 1


@respx.mock(base_url=URL)
def test_n6_rotated_key_is_alone_on_stdout(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    made = {"id": "web-2", "kind": "write", "key": "wk_new", "replaces": "web", "inSnippet": False}
    respx_mock.post("/v1/apps/shop/keys/web/rotate").respond(201, json=made)
    assert run("app", "keys", "rotate", "shop", "web") == 0
    told = capsys.readouterr()
    assert told.out == "wk_new\n" and "app keys remove shop web" in told.err


@respx.mock(base_url=URL)
def test_ids_stay_one_step_of_a_path(respx_mock: respx.MockRouter) -> None:
    route = respx_mock.route().respond(
        404, json={"code": "unknown_send", "message": "no such send"}
    )
    assert run("send", "show", "../apps?x") == 1
    assert route.calls[0].request.url.raw_path == b"/v1/sends/..%2Fapps%3Fx"
