"""Errors over HTTP are sentences of ours: also for ids that are cut, and apps that don't exist."""

from __future__ import annotations

import uuid
from typing import Any

import orjson
import pytest

from tests.contract.sender.conftest import Api, a_trigger, client
from tests.support.sentences import FOREIGN

CAMPAIGN = "/v1/apps/demo/campaigns/welcome"
ODD_CALLS = [
    ("GET", "/v1/sends?limit=many"), ("GET", "/v1/sends?limit=0"), ("GET", "/v1/sends?state=gone"),
    ("GET", "/v1/sends?before=yesterday"), ("GET", "/v1/sends?app=-"), ("GET", "/v1/audit?limit=-1"),
    ("GET", "/v1/audit?since=noon"), ("GET", f"/v1/dead-letters?topic={'x' * 200}"),
    ("GET", "/v1/dead-letters/abc"), ("GET", "/v1/people/a!b"), ("GET", "/v1/apps/-x"),
    ("GET", f"{CAMPAIGN}/versions?before=0"), ("GET", f"{CAMPAIGN}/versions/last"),
    ("GET", "/v1/apps/demo/campaigns/a%20b"), ("DELETE", f"/v1/tokens/{'x' * 100}"),
    ("POST", "/v1/sends/preview?people=0"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), ODD_CALLS)
async def test_c3_paths_and_queries_are_refused_in_sentences(
    shop: Api, method: str, path: str
) -> None:
    answer = await shop.call(method, path)
    body = answer.json()
    assert answer.status_code == 422, body
    for error in [*body["errors"], body]:
        assert error["message"] and not FOREIGN.search(error["message"]), error


@pytest.mark.parametrize(
    ("path", "what", "command"),
    [
        ("/v1/sends/abcde", "send", "send list"),
        ("/v1/sends/abcdef0", "send", "send list"),
        ("/v1/dead-letters/abcde", "dead letter", "dead-letters list"),
        ("/v1/dead-letters/abcdef0", "dead letter", "dead-letters list"),
        ("/v1/people/abcde", "person", "person search"),
        ("/v1/people/abcdef0", "person", "person search"),
    ],
)
async def test_c3_a_cut_id_is_called_so(shop: Api, path: str, what: str, command: str) -> None:
    answer = await shop.call("GET", path)
    message = answer.json()["message"]
    assert answer.status_code in (404, 422)
    assert "whole id" in message and what in message and f"`{command}`" in message


async def test_c3_an_unknown_app_names_the_nearest(shop: Api) -> None:
    await shop.put_app("second", oneSignal={"appId": str(uuid.uuid4()), "restApiKey": "x"})
    for method, path, body in [
        ("GET", "/v1/apps/demoo", None),
        ("GET", "/v1/apps/demoo/keys", None),
        ("GET", "/v1/apps/demoo/campaigns", None),
        ("GET", "/v1/sends?app=demoo", None),
        ("POST", "/v1/people/search", {"app": "demoo", "login": "x"}),
        ("POST", "/v1/sends", a_trigger(app="demoo")),
        ("POST", "/v1/sends/preview", a_trigger(app="demoo")),
        ("POST", "/v1/tokens", {"name": "x", "role": "read", "apps": ["demo", "demoo"]}),
    ]:
        answer = await shop.call(method, path, json=body)
        assert answer.json()["code"] == "unknown_app", answer.text
        assert answer.json()["message"].endswith("no such app; did you mean `demo`?"), answer.text
    answer = await shop.call("GET", "/v1/apps/elsewhere")
    assert answer.json()["message"] == "no such app; there are demo, second"


async def test_c3_an_unknown_app_gives_no_other_app_away(shop: Api) -> None:
    # A token may name an app that is gone: its answers name its own apps only.
    await shop.put_app("second", oneSignal={"appId": str(uuid.uuid4()), "restApiKey": "x"})
    body: dict[str, Any] = {"name": "x", "role": "operate", "apps": ["demo", "second"]}
    token = (await shop.ok("POST", "/v1/tokens", json=body))["token"]
    await shop.sender.context.database["apps"].delete_one({"_id": "demo"})
    await shop.put_app("demoo", oneSignal={"appId": str(uuid.uuid4()), "restApiKey": "x"})
    async with client(shop.sender, Authorization=f"Bearer {token}") as http:
        for answer in (
            await http.get("/v1/apps/demo"),
            await http.post("/v1/sends", json=a_trigger()),
        ):
            assert answer.json()["code"] == "unknown_app"
            assert "demoo" not in answer.text and "there is only second" in answer.text
        assert (await http.get("/v1/apps/demooo")).json()["code"] == "app_not_allowed"


async def test_c3_an_unknown_campaign_names_the_nearest(shop: Api) -> None:
    answer = await shop.call("GET", "/v1/apps/demo/campaigns/welcom")
    assert answer.json()["message"] == "no such campaign; did you mean `welcome`?"


async def test_c3_faults_of_json_have_a_place(shop: Api) -> None:
    body = b'{\n  "name": "Jana",\n  policy: {}}'
    lines = {"Content-Type": "application/x-ndjson"}
    head = orjson.dumps({k: v for k, v in a_trigger().items() if k != "audience"})
    for method, path, content, headers, place in [
        ("PUT", CAMPAIGN, body, {}, "line 3, column 3: a key in double quotes is expected"),
        ("PUT", "/v1/apps/demo", body, {}, "line 3, column 3"),
        ("POST", "/v1/sends", body, {}, "line 3, column 3"),
        ("POST", "/v1/sends/preview", body, {}, "line 3, column 3"),
        ("POST", "/v1/sends", b"{jana", lines, "line 1: not JSON: column 2"),
        ("POST", "/v1/sends", head + b'\n{"login": jana}\n', lines, "line 2: not JSON: column 11"),
    ]:
        answer = await shop.call(method, path, content=content, headers=headers)
        assert answer.status_code == 422
        assert place in answer.json()["message"], answer.text
        assert "jana" not in answer.text.lower()
