"""Commands of apps, keys and lists, on an ops API that a test answers for."""

from __future__ import annotations

import io
import uuid
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import respx

from sender_service.ops import examples
from sender_service.ops.app_examples import CONNECTION, STORED_APP
from tests.contract.sender.commands import AT, SEND, URL, run

IDS = [str(uuid.UUID(int=n)) for n in (1, 2)]
LISTED = {**examples.SEND_HEAD, "app": "shop"}


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set a token."""
    monkeypatch.setenv("CARILLON_OPS__TOKEN", "cot_test")


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
    app = {**STORED_APP, "loginHash": proof}
    respx_mock.get("/v1/apps/shop").respond(json=app)
    assert run("app", "show", "shop") == 0
    output = capsys.readouterr()
    assert orjson.loads(output.out) == app
    assert output.err.count("warning: loginHash.") == output.err.count("\n") == warnings


@respx.mock(base_url=URL)
def test_n11_sends_are_listed_page_by_page(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    """Show all parts: an answer may be short, or empty, and name where to go on."""
    pages = [{"items": [], "next": AT}, {"items": [LISTED], "next": None}]
    route = respx_mock.get("/v1/sends").mock(
        side_effect=[httpx.Response(200, json=page) for page in pages]
    )
    assert run("send", "list", "--app", "shop", "--state", "done") == 0
    assert dict(route.calls[1].request.url.params) == {
        "app": "shop", "state": "done", "limit": "20", "before": AT
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
    dead_letters = [
        {**examples.DEAD_LETTER_EXAMPLE, "id": each, "message": "a\tb\nc", "replayedAt": None}
        for each in IDS
    ]
    respx_mock.get("/v1/dead-letters").respond(json={"items": dead_letters})
    assert run("dead-letters", "list") == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head == "at\ttopic\tstage\tcode\tmessage\tid\treplayed"
    assert lines == [
        f"{AT}\tcarillon.triggers\tintake\tunknown_app\ta b c\t{name}\t-" for name in IDS
    ]


@pytest.mark.parametrize("token", ["cot_ž", "cot_a b", "", "cot_\x7f"])
def test_f20_token_that_no_header_holds_is_a_sentence(
    token: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARILLON_OPS__TOKEN", token)
    assert run("app", "list") == 2
    output = capsys.readouterr().err
    assert "CARILLON_OPS__TOKEN" in output and output.count("\n") == 1
    assert not token or token not in output


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
    app = {**STORED_APP, "origins": ["https://shop.test"]}
    put = respx_mock.put("/v1/apps/myshop").respond(json=app)
    refused = {**CONNECTION, "result": "key_refused", "message": "no", "warnings": []}
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
    output = capsys.readouterr()
    assert f'src="https://in.test/v1/snippet.js?key={keys["write"]}"' in output.out
    assert f'"https://in.test/v1/webhooks/onesignal/{keys["webhook"]}"' in output.out
    assert "importScripts(" in output.out and body["loginHash"]["secret"] in output.out
    assert "os_v2_app_secret" not in output.out + output.err and "app put" in output.err
    assert run(*create, *more) == 1  # nothing to ask at: no terminal
    assert "--onesignal-key-stdin" in capsys.readouterr().err and len(put.calls) == 1


@respx.mock(base_url=URL)
def test_n6_rotated_key_is_alone_on_stdout(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    made = {"id": "web-2", "kind": "write", "key": "wk_new", "replaces": "web", "inSnippet": False}
    respx_mock.post("/v1/apps/shop/keys/web/rotate").respond(201, json=made)
    assert run("app", "keys", "rotate", "shop", "web") == 0
    output = capsys.readouterr()
    assert output.out == "wk_new\n" and "app keys remove shop web" in output.err


@respx.mock(base_url=URL)
def test_ids_stay_one_step_of_a_path(respx_mock: respx.MockRouter) -> None:
    route = respx_mock.route().respond(
        404, json={"code": "unknown_send", "message": "no such send"}
    )
    assert run("send", "show", "../apps?x") == 1
    assert route.calls[0].request.url.raw_path == b"/v1/sends/..%2Fapps%3Fx"


@respx.mock(base_url=URL)
def test_n18_campaign_put_warns_of_texts_that_would_fail(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    text = "profile.bascet is missing: 9 of 9 people would get nothing"
    warning = {"code": "bad_variables", "message": text}  # as the API gives it, without a field
    body = {**examples.STORED_CAMPAIGN, "warnings": [warning]}
    respx_mock.put("/v1/apps/shop/campaigns/oops").respond(json=body)
    file = tmp_path / "campaign.json"
    file.write_text("{}")
    assert run("campaign", "put", "--app", "shop", "--campaign", "oops", str(file)) == 0
    assert text in capsys.readouterr().err


@pytest.fixture
def rest_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """OneSignal's REST API key on the standard input."""
    monkeypatch.setattr("sys.stdin", io.StringIO("os_v2_app_secret\n"))


@pytest.mark.usefixtures("rest_key")
@pytest.mark.parametrize(
    ("ops_url", "answers", "more", "sdk"),
    [
        ("http://127.0.0.1:8090", True, (), "http://127.0.0.1:8095/sdk/v16"),
        ("http://127.0.0.1:8090", False, (), None),
        ("https://ops.example", True, (), None),  # a sandbox here isn't that sender's
        ("https://ops.example", False, ("--sdk-url", "https://in.test/a/OneSignalSDK.page.js"),
         "https://in.test/a"),
    ],
)  # fmt: skip
@respx.mock(assert_all_called=False)
def test_n6_app_create_prints_the_sandboxs_lines_beside_it(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str],
    ops_url: str, answers: bool, more: tuple[str, ...], sdk: str | None,
) -> None:  # fmt: skip
    look = respx_mock.get("http://127.0.0.1:8095/sdk/v16/OneSignalSDK.page.js")
    if answers:
        look.respond(text="1", headers={"Content-Type": "text/javascript"})
    else:
        look.mock(side_effect=httpx.ConnectError("nobody is there"))
    app = {**STORED_APP, "origins": ["https://shop.test"]}
    put = respx_mock.put(f"{ops_url}/v1/apps/myshop").respond(json=app)
    fine = {**CONNECTION, "result": "ok", "message": "yes", "warnings": []}
    respx_mock.post(f"{ops_url}/v1/apps/myshop/test-connection").respond(json=fine)
    create = ("app", "create", "myshop", "--name", "My shop", "--onesignal-app-id", IDS[0], *more)
    origin = ("--origin", "https://shop.test", "--onesignal-key-stdin")
    assert run(*create, *origin, url=ops_url) == 0
    output = capsys.readouterr().out
    snippet = orjson.loads(put.calls[0].request.content)["snippet"]
    if sdk is None:
        assert "sdkUrl" not in snippet
        assert (
            'importScripts("https://cdn.onesignal.com/sdks/web/v16/OneSignalSDK.sw.js")' in output
        )
    else:
        assert snippet["sdkUrl"] == f"{sdk}/OneSignalSDK.page.js"
        assert f'importScripts("{sdk}/OneSignalSDK.sw.js")' in output
        assert f'src="{sdk}/OneSignalSDK.page.js"' in output and "cdn.onesignal" not in output


def test_n6_an_sdk_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    create = ("app", "create", "a", "--name", "A", "--onesignal-app-id", IDS[0])
    more = ("--origin", "https://shop.test", "--sdk-url", "https://shop.test/OneSignal.js")
    assert run(*create, *more) == 1
    assert "OneSignalSDK.page.js" in capsys.readouterr().err
