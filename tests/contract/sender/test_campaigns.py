"""Campaigns over HTTP: versions, errors that name their field, reports."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from sender_service.models.sums import Sums, encode_sums
from shared.clock import utc_now
from shared.mongo.collections import CAMPAIGNS, SENDS
from tests.contract.sender.conftest import Api, a_campaign, a_trigger
from tests.support.documents import build_profile, store_people

PLAYER = "1dd608f2-c6a1-11e3-851d-000c2940e62c"
PATH = "/v1/apps/demo/campaigns/welcome"


async def test_campaign_is_returned_as_it_was_put(shop: Api) -> None:
    body = await shop.ok("GET", PATH)
    assert (body["id"], body["app"], body["version"]) == ("welcome", "demo", 1)
    assert body["location"] == "PushNotificationLocation" and body["enabled"] is True
    assert body["variants"][0]["contents"] == {"en": "Come"}
    assert (await shop.ok("GET", "/v1/apps/demo/campaigns"))["items"] == [body]


async def test_returned_can_be_put_again_without_a_new_version(shop: Api) -> None:
    body = await shop.ok("GET", PATH)
    assert await shop.ok("PUT", PATH, json=body) == body
    assert await shop.put_campaign() == body


async def test_each_change_is_a_version(shop: Api) -> None:
    for version, enabled in ((2, False), (3, True), (3, True)):
        body = await shop.ok("PUT", PATH, json=a_campaign(enabled=enabled))
        assert (body["version"], body["enabled"]) == (version, enabled)


async def test_earlier_versions_stay_readable(shop: Api) -> None:
    for name in ("Second", "Second", "Third"):
        await shop.ok("PUT", PATH, json=a_campaign(name=name))
    found = (await shop.ok("GET", f"{PATH}/versions"))["items"]
    assert [(v["version"], v["name"]) for v in found] == [
        (3, "Third"),
        (2, "Second"),
        (1, "Welcome"),
    ]
    assert found[0] == await shop.ok("GET", PATH)
    assert await shop.ok("GET", f"{PATH}/versions/1") == found[2]
    assert await shop.ok("GET", f"{PATH}/versions/3") == found[0]
    assert (await shop.ok("GET", f"{PATH}/versions?before=3&limit=1"))["items"] == [found[1]]
    assert (await shop.ok("GET", f"{PATH}/versions?before=1"))["items"] == []
    back = await shop.ok("PUT", PATH, json=found[2])
    assert back == {**found[2], "version": 4}


async def test_two_changes_at_once_are_both_kept(shop: Api) -> None:
    names = [f"at once {n}" for n in range(6)]
    await asyncio.gather(*(shop.ok("PUT", PATH, json=a_campaign(name=n)) for n in names))
    found = (await shop.ok("GET", f"{PATH}/versions"))["items"]
    assert [v["version"] for v in found] == [7, 6, 5, 4, 3, 2, 1]
    assert sorted(v["name"] for v in found) == sorted(["Welcome", *names])


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("versions/2", 404, "unknown_version"),
        ("versions/0", 422, "invalid"),
        ("versions?limit=101", 422, "invalid"),
        ("../other/versions", 404, "unknown_campaign"),
    ],
)
async def test_versions_that_there_are_not(shop: Api, path: str, status: int, code: str) -> None:
    answer = await shop.call("GET", f"{PATH}/{path}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def _with(**fields: Any) -> dict[str, Any]:
    body = a_campaign()
    body["variants"][0] |= fields
    return body


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "name"),
        (a_campaign(name=""), "name"),
        (a_campaign(variants=[]), "variants"),
        (_with(contents={"de": "Hallo"}), "variants.0"),
        (_with(contents={"en": "{{ broken"}), "variants.0.contents.en"),
        (_with(contents={"en": "{% macro f() %}{% endmacro %}"}), "variants.0.contents.en"),
        (_with(contents={"en": "x" * 201}), "variants.0.contents.en"),
        (_with(headings={"en": "H", "de": "  "}), "variants.0.headings.de"),
        (_with(url="javascript:alert(1)"), "variants.0.url"),
        (_with(url="//shop.example/"), "variants.0.url"),
        (_with(url="https:///basket"), "variants.0.url"),
        (_with(url=""), "variants.0.url"),
        (_with(icon="data:image/png;base64,AA"), "variants.0.icon"),
        (_with(image="ftp://shop.example/i.png"), "variants.0.image"),
        (_with(buttons=[{"id": "x", "text": "X", "url": "file:///x"}]), "variants.0.buttons.0.url"),
        (_with(weight="heavy"), "variants.0.weight"),
        (_with(buttons=[{"id": "x"}]), "variants.0.buttons.0.text"),
        (_with(data={"carillon": "x"}), "variants.0"),
        (_with(data={"$x": 1}), "variants.0.data"),
        (_with(data={"n": 2**70}), "variants.0.data"),
        (a_campaign(policy={"holdout": 2}), "policy.holdout"),
        (a_campaign(location="Elsewhere"), "location"),
    ],
)
async def test_what_is_wrong_is_named(api: Api, body: dict[str, Any], named: str) -> None:
    await api.put_app()
    answer = await api.call("PUT", PATH, json=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == "invalid"
    assert named in [error["field"].removeprefix("body.") for error in answer.json()["errors"]]
    assert await api.sender.context.database[CAMPAIGNS.name].count_documents({}) == 0


async def test_links_with_a_template_are_validated_when_rendered(shop: Api) -> None:
    response = await shop.ok(
        "PUT", PATH, json=_with(url="{{ link }}", icon=" https://shop.example/i ")
    )
    assert response["variants"][0]["url"] == "{{ link }}"
    body = {"id": a_trigger()["id"], "app": "demo", "campaign": "welcome",
            "recipients": [{"player": PLAYER, "variables": {"link": "javascript:alert(1)"}}]}  # fmt: skip
    profile = build_profile("p1", language="en", players=[{"id": PLAYER}])
    await store_people(shop.sender.context.database, profile)
    found = await shop.ok("POST", "/v1/sends/preview", json=body)
    assert found["failed"] == {"bad_variables": 1} and found["samples"] == []


@pytest.mark.parametrize(
    "raw",
    [b'{"x": NaN}', b'{"x": Infinity}', b'{"x": "\\ud800"}', b'{"a\\u0000b": 1}',
     b'{"x":' + b"[" * 300 + b"]" * 300 + b"}"],
)  # fmt: skip
async def test_data_that_no_store_holds_is_refused(api: Api, raw: bytes) -> None:
    await api.put_app()
    body = b'{"name":"W","variants":[{"id":"a","headings":{"en":"H"},"contents":{"en":"C"},'
    body += b'"url":"https://s/","data":' + raw + b"}]}"
    headers = {"Content-Type": "application/json"}
    answer = await api.call("PUT", PATH, content=body, headers=headers)
    assert answer.status_code == 422, answer.text
    assert answer.json().keys() == {"code", "message", "errors"}


async def test_unknown_app_or_campaign_is_not_found(api: Api) -> None:
    assert (await api.call("PUT", PATH, json=a_campaign())).json()["code"] == "unknown_app"
    assert (await api.call("GET", "/v1/apps/demo/campaigns")).json()["code"] == "unknown_app"
    await api.put_app()
    for path in (PATH, f"{PATH}/report"):
        answer = await api.call("GET", path)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_campaign")


async def test_app_made_elsewhere_is_known_at_once(shop: Api) -> None:
    """Another replica made it: this one has not read the apps since."""
    shop.sender.context.apps.take([])
    await shop.put_campaign(campaign="other")


async def test_report_adds_up_its_sends(shop: Api) -> None:
    now = utc_now()
    for sent in (3, 4):
        trigger = a_trigger(sendAt=(now + timedelta(hours=1)).isoformat())
        await shop.ok("POST", "/v1/sends", json=trigger)
        totals = encode_sums(Sums(sent + 2, sent, 0, {"holdout": 1}, {"rejected": 1}))
        await shop.sender.context.database[SENDS.name].update_one(
            {"_id": trigger["id"]}, {"$set": {"totals": totals, "state": "done", "closedAt": now}}
        )
    report = await shop.ok("GET", f"{PATH}/report")
    assert (report["app"], report["campaign"], report["sends"]) == ("demo", "welcome", 2)
    assert (report["audience"], report["sent"], report["pending"]) == (11, 7, 0)
    assert report["failed"] == {"rejected": 2} and report["suppressed"] == {"holdout": 2}
    assert (report["impressions"], report["clicks"], report["closes"]) == (0, 0, 0)


async def test_f7_true_is_another_value_than_one(shop: Api) -> None:
    """Python takes 1 for True: the change was dropped, and the answer showed the old value."""
    values: list[Any] = [1, True, 1, False, 0.5, None, True, True]
    versions = []
    for value in values:
        body = a_campaign(policy={"notIfBoughtSince": value})
        campaign = await shop.ok("PUT", PATH, json=body)
        assert campaign["policy"]["notIfBoughtSince"] is value or value in (1, 0.5)
        assert isinstance(campaign["policy"]["notIfBoughtSince"], bool) is isinstance(value, bool)
        versions.append(campaign["version"])
    assert versions == [2, 3, 4, 5, 6, 7, 8, 8]
    for version, data in enumerate(({"n": 1}, {"n": True}, {"n": 0}, {"n": False}), start=9):
        body = a_campaign()
        body["variants"][0]["data"] = data
        assert (await shop.ok("PUT", PATH, json=body))["version"] == version


@pytest.mark.parametrize("value", [0, 0.0, -1, 366, "0", "yes", []])
async def test_f7_days_without_a_purchase_are_above_0(shop: Api, value: Any) -> None:
    body = a_campaign(policy={"notIfBoughtSince": value})
    answer = await shop.call("PUT", PATH, json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "body.policy.notIfBoughtSince"
