"""An app from nothing, and its keys over HTTP: made, rotated, removed; shown once."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

from shared.mongo.collections import APPS
from tests.contract.sender.conftest import KEY, Api

KEYS = [
    {"id": "web", "kind": "write", "key": "wk_1"},
    {"id": "hook", "kind": "webhook", "key": "wh_1"},
]
FULL: dict[str, Any] = {
    "keys": KEYS,
    "origins": ["https://shop.example"],
    "loginHash": {"required": True, "secret": "login-secret"},
    "snippet": {"webhookKey": "wh_1"},
    "allowedLogins": ["0"],
    "maskedParameters": ["token"],
    "controlGroup": 0.1,
    "cap": {"count": 2, "days": 7},
}


async def test_n6_all_faults_of_an_app_are_answered_at_once(api: Api) -> None:
    body = await api.put_app("demo", **FULL)
    answer = await api.call("PUT", "/v1/apps/myshop", json=body)
    assert answer.status_code == 422
    found = {error["field"]: error for error in answer.json()["errors"]}
    assert found.keys() == {
        "body.oneSignal.restApiKey", "body.keys.web.key", "body.keys.hook.key",
        "body.loginHash.secret", "body.snippet.webhookKey",
    }  # fmt: skip
    assert "write the secret itself" in found["body.keys.web.key"]["message"]
    filled = copy.deepcopy(body)
    filled["oneSignal"]["restApiKey"] = KEY
    filled["keys"] = [{**key, "key": f"{key['key']}_{key['id']}"} for key in filled["keys"]]
    filled["loginHash"]["secret"] = "another"
    filled["snippet"]["webhookKey"] = "masked_hook"
    made = await api.ok("PUT", "/v1/apps/myshop", json=filled)
    changed = {"id", "version", "snippet"}
    same = {k: v for k, v in made.items() if k not in changed}
    assert same == {k: v for k, v in body.items() if k not in changed}


async def test_n6_faults_of_every_kind_come_together(api: Api) -> None:
    body = {
        "nme": "x",
        "oneSignal": {"appId": "x"},
        "origins": ["shop"],
        "keys": [{"id": "a", "kind": "write"}],
    }
    errors = (await api.call("PUT", "/v1/apps/demo", json=body)).json()["errors"]
    assert {error["field"] for error in errors} == {
        "body.nme", "body.name", "body.oneSignal.appId", "body.oneSignal.restApiKey",
        "body.origins.0", "body.keys.a.key",
    }  # fmt: skip


async def test_n6_app_answer_has_every_field_that_a_put_takes(api: Api) -> None:
    # Else a `PUT` of the app as it was shown would lose it.
    body = await api.put_app("demo", **FULL)
    assert {name: body[name] for name in ("allowedLogins", "maskedParameters", "controlGroup")} == {
        "allowedLogins": ["0"], "maskedParameters": ["token"], "controlGroup": 0.1
    }  # fmt: skip
    assert await api.ok("PUT", "/v1/apps/demo", json=body) == body


async def test_n6_new_app_never_takes_an_old_ones_place(api: Api) -> None:
    await api.put_app()
    headers = {"If-None-Match": "*"}
    body = api.an_app(name="Other")
    answer = await api.call("PUT", "/v1/apps/demo", json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "app_exists")
    assert (await api.call("PUT", "/v1/apps/fresh", json=body, headers=headers)).status_code == 200


async def test_n6_rotated_key_is_valid_beside_the_old_one(api: Api) -> None:
    await api.put_app("demo", **FULL)
    made = await api.ok("POST", "/v1/apps/demo/keys/web/rotate")
    assert (made["id"], made["kind"], made["replaces"]) == ("web-2", "write", "web")
    for key in ("wk_1", made["key"]):
        assert api.sender.context.apps.by_key("write", key=key)[0].id == "demo"
    listed = await api.call("GET", "/v1/apps/demo/keys")
    assert [key["id"] for key in listed.json()["items"]] == ["web", "hook", "web-2"]
    assert made["key"] not in listed.text
    assert made["key"] not in str(
        await api.sender.context.database[APPS.name].find_one({"_id": "demo"})
    )
    await api.ok("DELETE", "/v1/apps/demo/keys/web")
    again = await api.ok("POST", "/v1/apps/demo/keys/web-2/rotate")
    assert again["id"] == "web"  # free again
    gone = await api.call("DELETE", "/v1/apps/demo/keys/nothing")
    assert (gone.status_code, gone.json()["code"]) == (404, "unknown_key")
    assert "web-2" in gone.json()["message"]


async def test_n6_webhook_key_of_pages_is_exchanged_in_the_snippet(api: Api) -> None:
    await api.put_app("demo", **FULL)
    refused = await api.call("DELETE", "/v1/apps/demo/keys/hook")
    assert (refused.status_code, refused.json()["code"]) == (409, "key_in_snippet")
    made = await api.ok("POST", "/v1/apps/demo/keys/hook/rotate")
    app = await api.ok("GET", "/v1/apps/demo")
    assert made["inSnippet"] and app["snippet"]["webhookKey"] == made["key"]
    assert api.sender.context.apps.by_key("webhook", key="wh_1")[0].id == "demo"
    await api.ok("DELETE", "/v1/apps/demo/keys/hook")
    # What was shown can be put again as it is: the snippet's key is one of those that stay.
    assert (await api.ok("PUT", "/v1/apps/demo", json=await api.ok("GET", "/v1/apps/demo")))["id"]


async def test_n6_keys_made_at_once_are_all_kept(api: Api) -> None:
    await api.put_app("demo", **FULL)
    body = {"kind": "server"}
    made = await asyncio.gather(
        *(api.ok("POST", "/v1/apps/demo/keys", json=body) for _ in range(6)), api.put_app("other")
    )
    ids = [key["id"] for key in made[:-1]]
    assert sorted(ids) == ["server", *(f"server-{n}" for n in range(2, 7))]
    for key in made[:-1]:
        assert api.sender.context.apps.by_key("server", key=key["key"])[0].id == "demo"
    taken = await api.call("POST", "/v1/apps/demo/keys", json={"kind": "write", "id": "server"})
    assert (taken.status_code, taken.json()["code"]) == (409, "key_exists")


async def test_n6_an_app_has_a_bounded_number_of_keys(api: Api) -> None:
    await api.put_app("demo")
    for _ in range(32):
        await api.ok("POST", "/v1/apps/demo/keys", json={"kind": "stream"})
    more = await api.call("POST", "/v1/apps/demo/keys/stream/rotate")
    assert (more.status_code, more.json()["code"]) == (422, "too_many_keys")
