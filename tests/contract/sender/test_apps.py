"""Apps over HTTP: secrets go in and never come out; the same content is the same version."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from shared.mongo.collections import APPS
from tests.contract.sender.conftest import KEY, Api

SECRETS = (KEY, "wk_demo_key", "login-secret")
FULL: dict[str, Any] = {
    "keys": [{"id": "web", "kind": "write", "key": "wk_demo_key"}],
    "origins": ["https://Shop.example"],
    "loginHash": {"required": True, "secret": "login-secret"},
}


async def test_new_app_is_returned_with_masked_secrets(api: Api) -> None:
    body = await api.put_app(**FULL)
    assert body["id"] == "demo" and body["version"] == 1 and body["state"] == "active"
    assert body["oneSignal"] == {
        "appId": api.onesignal, "restApiKey": "masked", "plan": "free", "enabled": True,
    }  # fmt: skip
    assert body["keys"] == [{"id": "web", "kind": "write", "key": "masked"}]
    assert body["loginHash"] == {"required": True, "secret": "masked"}
    assert body["origins"] == ["https://shop.example"]
    assert await api.ok("GET", "/v1/apps/demo") == body
    assert await api.ok("GET", "/v1/apps") == {"items": [body]}


async def test_no_secret_is_in_an_answer_or_in_the_store(api: Api) -> None:
    await api.put_app(**FULL)
    stored = await api.sender.context.database[APPS.name].find_one({"_id": "demo"})
    hashes = [key["hash"] for key in (stored or {})["keys"]]
    for path in ("/v1/apps", "/v1/apps/demo"):
        text = (await api.call("GET", path)).text
        assert not any(secret in text for secret in (*SECRETS, *hashes))
    assert not any(secret in str(stored) for secret in SECRETS)


async def test_secrets_work_after_they_were_stored(api: Api) -> None:
    await api.put_app(**FULL)
    app = api.sender.context.apps.by_key("write", key="wk_demo_key")[0]
    assert api.sender.context.vault.decrypt(app.one_signal.rest_api_key) == KEY
    assert api.sender.context.vault.decrypt(app.login_hash.secret or "") == "login-secret"


async def test_identical_put_makes_no_new_version(api: Api) -> None:
    first = await api.put_app(**FULL)
    assert await api.put_app(**FULL) == first
    assert (await api.put_app(**{**FULL, "name": "Other"}))["version"] == 2


async def test_masked_secrets_stay_what_they_were(api: Api) -> None:
    body = await api.put_app(**FULL)
    stored = await api.sender.context.database[APPS.name].find_one({"_id": "demo"})
    assert await api.ok("PUT", "/v1/apps/demo", json=body) == body
    assert await api.sender.context.database[APPS.name].find_one({"_id": "demo"}) == stored


async def test_left_out_secrets_stay_too(api: Api) -> None:
    await api.put_app(**FULL)
    keys = [{"id": "web", "kind": "write"}]
    body = api.an_app(**{**FULL, "keys": keys}, oneSignal={"appId": api.onesignal})
    assert (await api.ok("PUT", "/v1/apps/demo", json=body))["version"] == 1


async def test_a6_new_app_requires_proof(api: Api) -> None:
    left_out = api.an_app()
    left_out.pop("loginHash", None)
    body = await api.ok("PUT", "/v1/apps/demo", json=left_out)
    assert body["loginHash"] == {"required": True, "secret": None}


async def test_a6_leaving_login_hash_out_never_switches_proof_off(api: Api) -> None:
    await api.put_app(**FULL)
    left_out = {name: value for name, value in FULL.items() if name != "loginHash"}
    body = await api.put_app(**left_out)
    assert (body["version"], body["loginHash"]) == (1, {"required": True, "secret": "masked"})


@pytest.mark.parametrize("left_out", [{"required": True}, {"required": True, "secret": None}])
async def test_required_proof_never_loses_its_secret(api: Api, left_out: dict[str, Any]) -> None:
    await api.put_app(**FULL)
    assert (await api.put_app(**{**FULL, "loginHash": left_out}))["version"] == 1
    app = api.sender.context.apps.by_key("write", key="wk_demo_key")[0]
    assert api.sender.context.vault.decrypt(app.login_hash.secret or "") == "login-secret"
    optional = await api.put_app(**{**FULL, "loginHash": {"required": False}})
    assert optional["loginHash"] == {"required": False, "secret": "masked"}


async def test_changed_secret_is_a_new_version(api: Api) -> None:
    await api.put_app(**FULL)
    changed = await api.put_app(
        **{**FULL, "keys": [{"id": "web", "kind": "write", "key": "wk_other"}]}
    )
    assert changed["version"] == 2
    assert api.sender.context.apps.by_key("write", key="wk_other")[0].id == "demo"


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"name": ""}, "name"),
        ({"oneSignal": {"appId": "x", "restApiKey": "k"}}, "appId"),
        ({"oneSignal": {"appId": "8a1e1c1c-0000-4000-8000-000000000000"}}, "oneSignal.restApiKey"),
        ({"oneSignal": {"appId": "8a1e1c1c-0000-4000-8000-000000000000", "restApiKey": "masked"}},
         "oneSignal.restApiKey"),
        ({"keys": [{"id": "web", "kind": "write"}]}, "keys.web.key"),
        ({"keys": [{"id": "web", "kind": "write", "key": "masked"}]}, "keys.web.key"),
        ({"keys": [{"id": "web", "kind": "other", "key": "x"}]}, "keys.0.kind"),
        ({"keys": [{"id": "a", "kind": "write", "key": "x"}] * 2}, "body"),
        ({"keys": [{"id": "web", "kind": "write", "key": "wk/1"}]}, "keys.0"),
        ({"keys": [{"id": "shop", "kind": "server", "key": "a"}]}, "keys.0"),
        ({"loginHash": {"secret": " "}}, "loginHash.secret"),
        ({"keys": [{"id": "web", "kind": "write", "key": "wk_1\n"}]}, "keys.0"),
        ({"keys": [{"id": "web", "kind": "write", "key": "k" * 49}]}, "keys.0"),
        ({"snippet": {"workerPath": "w" * 65}}, "snippet.workerPath"),
        ({"snippet": {"workerPath": "/wörker.js"}}, "snippet.workerPath"),
        ({"snippet": {"sdkUrl": "https://" + "s" * 81}}, "snippet.sdkUrl"),
        ({"snippet": {"webhookKey": "k" * 49}}, "snippet.webhookKey"),
        ({"snippet": {"cookieDomain": "d" * 65}}, "snippet.cookieDomain"),
        ({"snippet": {"loginToOneSignal": "perhaps"}}, "snippet.loginToOneSignal"),
        ({"snippet": {"loginToOneSignal": None}}, "snippet.loginToOneSignal"),
        ({"origins": ["shop.example"]}, "origins.0"),
        ({"origins": ["https://shop.example/path"]}, "origins.0"),
        ({"loginHash": {"required": True, "secret": "masked"}}, "loginHash.secret"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_named_and_not_stored(
    api: Api, fields: dict[str, Any], named: str
) -> None:
    answer = await api.call("PUT", "/v1/apps/demo", json=api.an_app(**fields))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].endswith(named), answer.text
    assert KEY not in answer.text
    assert (await api.call("GET", "/v1/apps/demo")).status_code == 404


@pytest.mark.parametrize("name", ["-x", ".x", "a" * 65, "a%20b", "%C3%BC"])
async def test_names_that_are_none(api: Api, name: str) -> None:
    assert (await api.call("PUT", f"/v1/apps/{name}", json=api.an_app())).status_code == 422


async def test_puts_at_once_make_one_version_each_at_most(api: Api) -> None:
    names = ["A", "B", "C", "D"]
    answers = await asyncio.gather(*(api.put_app(name=name) for name in names))
    assert sorted(one["version"] for one in answers) == [1, 2, 3, 4]
    assert (await api.ok("GET", "/v1/apps/demo"))["version"] == 4


async def test_stopped_app_is_resumed(api: Api) -> None:
    await api.put_app()
    stopped = {"state": "stopped", "stoppedBecause": "onesignal_403: no"}
    await api.sender.context.database[APPS.name].update_one({"_id": "demo"}, {"$set": stopped})
    assert (await api.ok("GET", "/v1/apps/demo"))["stoppedBecause"] == "onesignal_403: no"
    assert (await api.put_app())["state"] == "stopped"  # only resuming resumes
    resumed = await api.ok("POST", "/v1/apps/demo/resume")
    assert (resumed["state"], resumed["stoppedBecause"], resumed["version"]) == ("active", None, 1)
    assert (await api.call("POST", "/v1/apps/nobody/resume")).status_code == 404


async def test_a_webhook_key_for_pages_must_be_one_of_the_apps(api: Api) -> None:
    # Else each browser's webhook would be refused, and nothing counted.
    keys = [{"id": "hook", "kind": "webhook", "key": "wh_1"}]
    wrong = api.an_app(keys=keys, snippet={"webhookKey": "wh_2"})
    refused = await api.call("PUT", "/v1/apps/demo", json=wrong)
    assert refused.status_code == 422
    assert refused.json()["message"].startswith("body.snippet.webhookKey")
    await api.put_app(keys=keys, snippet={"webhookKey": "wh_1"})


async def test_logins_go_to_onesignal_unless_the_shop_states_no(api: Api) -> None:
    assert (await api.put_app())["snippet"]["loginToOneSignal"] is True
    off = await api.put_app(snippet={"loginToOneSignal": False})
    assert off["snippet"]["loginToOneSignal"] is False
    assert await api.ok("PUT", "/v1/apps/demo", json=off) == off
    app = api.sender.context.apps.get("demo")
    assert app is not None
    assert app.snippet.login_to_one_signal is False
    older = {"$unset": {"snippet.loginToOneSignal": ""}}
    await api.sender.context.database[APPS.name].update_one({"_id": "demo"}, older)
    assert (await api.ok("GET", "/v1/apps/demo"))["snippet"]["loginToOneSignal"] is True


async def test_one_app_cannot_take_anothers_key(api: Api) -> None:
    # Else its events would go to the app that came last.
    keys = [{"id": "web", "kind": "write", "key": "wk_mine"}]
    await api.put_app("mine", keys=keys)
    refused = await api.call("PUT", "/v1/apps/thief", json=api.an_app(keys=keys))
    assert (refused.status_code, refused.json()["code"]) == (409, "key_taken")
    assert "wk_mine" not in refused.text
    await api.put_app("mine", keys=keys)  # its own key stays its own


@pytest.mark.parametrize("written", ["Europe/Prague", "europe/prague", " EUROPE/PRAGUE "])
async def test_f25_an_app_has_a_time_zone_in_its_own_spelling(api: Api, written: str) -> None:
    body = await api.put_app(**FULL, timeZone=written)
    assert body["timeZone"] == "Europe/Prague"
    assert await api.ok("PUT", "/v1/apps/demo", json=body) == body
    app = api.sender.context.apps.get("demo")
    assert app is not None and app.time_zone == "Europe/Prague"


@pytest.mark.parametrize("written", ["Europe/Pargue", "Etc/Unknown", "+02:00", "", 7])
async def test_f25_what_is_no_time_zone_is_refused(api: Api, written: object) -> None:
    body = {**(await api.put_app(**FULL)), "timeZone": written}
    answer = await api.call("PUT", "/v1/apps/demo", json=body)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == "body.timeZone"
    assert written != "Europe/Pargue" or "did you mean `Europe/Prague`?" in error["message"]


@pytest.mark.parametrize("hours", [None, False, {"from": "21:00", "to": "08:00"}])
async def test_an_app_has_quiet_hours(api: Api, hours: object) -> None:
    body = await api.put_app(**FULL, timeZone="Europe/Prague", quietHours=hours)
    assert body["quietHours"] == hours
    assert await api.ok("PUT", "/v1/apps/demo", json=body) == body
    assert await api.ok("GET", "/v1/apps/demo") == body


@pytest.mark.parametrize(
    ("fields", "place", "code"),
    [
        ({"timeZone": None}, "body.quietHours", "app_time_zone_missing"),
        ({"timeZone": "Mars/Base"}, "body.timeZone", "value_error"),
        ({"quietHours": {"from": "21:00", "to": "21:00"}}, "body.quietHours", "value_error"),
        ({"quietHours": {"from": "21:00", "til": "8"}}, "body.quietHours.to", "missing"),
        ({"quietHours": True}, "body.quietHours", "model_type"),
    ],
)
async def test_quiet_hours_that_an_app_cannot_have(
    api: Api, fields: dict[str, Any], place: str, code: str
) -> None:
    good = {"timeZone": "Europe/Prague", "quietHours": {"from": "21:00", "to": "08:00"}}
    answer = await api.call("PUT", "/v1/apps/demo", json=api.an_app(**{**FULL, **good, **fields}))
    assert answer.status_code == 422
    error = answer.json()["errors"][0]
    assert (error["field"], error["code"]) == (place, code)
