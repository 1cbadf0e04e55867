"""Scenarios over HTTP: versions, switching, deleting, errors that name their field, templates."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from sender_service.models.campaign import CampaignBody
from sender_service.models.scenario.values import MAX_SCENARIO_BYTES, MAX_SCENARIOS
from sender_service.store.scenarios import ScenarioStore
from shared.models.strict import validate_strictly
from tests.contract.sender.conftest import Api, client
from tests.support.scenarios import SMALL, STEP, with_value

PATH = "/v1/apps/demo/scenarios/basket"
HELLO = {**SMALL, "steps": [{**STEP, "campaign": "welcome"}]}
ON = {**HELLO, "enabled": True}


@pytest.fixture
async def zoned(shop: Api) -> Api:
    await shop.put_app(timeZone="Europe/Prague")
    return shop


async def put(api: Api, body: dict[str, Any] = HELLO, path: str = PATH) -> Any:
    return await api.ok("PUT", path, json=body)


async def refused(api: Api, body: Any, path: str = PATH) -> tuple[int, str, list[str]]:
    answer = await api.call("PUT", path, json=body)
    problem = answer.json()
    return answer.status_code, problem["code"], [error["field"] for error in problem["errors"]]


def stores_of(api: Api) -> ScenarioStore:
    return api.sender.context.stores.scenarios


async def test_scenario_is_returned_with_its_defaults(shop: Api) -> None:
    body = await put(shop)
    assert body == await shop.ok("GET", PATH)
    assert body == {
        "id": "basket", "app": "demo", "version": 1, "name": "Small", "enabled": False,
        "priority": 50, "enter": {"on": "basket"}, "until": ["bought"], "spread": 0, "maxLate": 120,
        "again": {"days": 7, "from": "push"}, "off": [{"from": None, "to": None}],
        "steps": [{"id": "hour", "campaign": "welcome", "after": {"minutes": 0, "of": "entry"}}],
    }  # fmt: skip
    (listed,) = (await shop.ok("GET", "/v1/apps/demo/scenarios"))["items"]
    assert listed == {**body, "waiting": 0, "pushedToday": 0, "lastTrouble": None}


async def test_returned_can_be_put_again_without_a_new_version(shop: Api) -> None:
    enter = {"on": "once", "at": "2027-01-31T10:00:00.123456+01:00"}
    for again in (HELLO, {**HELLO, "enter": enter}, {**HELLO, "if": {"known": "login"}}):
        body = await put(shop, again)
        assert await put(shop, body) == body
        assert await put(shop, again) == body
    assert body["version"] == 3


async def test_each_change_is_a_version_and_earlier_ones_stay(shop: Api) -> None:
    for name in ("First", "Second", "Second", "Third"):
        await put(shop, {**HELLO, "name": name})
    found = (await shop.ok("GET", f"{PATH}/versions"))["items"]
    assert [(v["version"], v["name"]) for v in found] == [(3, "Third"), (2, "Second"), (1, "First")]
    assert all("off" not in version for version in found)
    assert (await shop.ok("GET", f"{PATH}/versions?before=3&limit=1"))["items"] == [found[1]]
    assert (await shop.ok("GET", f"{PATH}/versions?before=1"))["items"] == []
    back = await put(shop, found[2])
    assert (back["version"], back["name"]) == (4, "First")


async def test_two_changes_at_once_are_both_kept(shop: Api) -> None:
    names = [f"at once {n}" for n in range(6)]
    await asyncio.gather(*(put(shop, {**HELLO, "name": name}) for name in names))
    found = (await shop.ok("GET", f"{PATH}/versions"))["items"]
    assert sorted(v["name"] for v in found) == names
    assert [v["version"] for v in found] == [6, 5, 4, 3, 2, 1]


async def test_when_it_was_off_is_kept(zoned: Api) -> None:
    for is_on in (True, True, False, True):
        body = await put(zoned, {**HELLO, "enabled": is_on})
    first, second = body["off"]
    assert first["from"] is None and first["to"] < second["from"] <= second["to"]
    off = (await put(zoned, {**ON, "name": "Other"}))["off"]
    assert off == body["off"]


async def test_deleted_is_gone_and_its_versions_go_on_when_it_is_made_again(zoned: Api) -> None:
    await put(zoned, ON)
    assert await zoned.ok("DELETE", PATH) == {"id": "basket", "removed": True}
    for method, path in (("GET", PATH), ("DELETE", PATH), ("GET", f"{PATH}/versions")):
        answer = await zoned.call(method, path)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_scenario"), path
    assert (await zoned.ok("GET", "/v1/apps/demo/scenarios"))["items"] == []
    first = await stores_of(zoned).get_version("demo", "basket", 1)
    assert first is not None and first.enabled  # runs of it name it
    assert await stores_of(zoned).get_version("demo", "basket", 2) is None

    body = await put(zoned, ON)
    assert body["version"] == 3
    assert len(body["off"]) == 2  # of before it was made, and from its deletion on
    found = (await zoned.ok("GET", f"{PATH}/versions"))["items"]
    assert [version["version"] for version in found] == [3, 1]
    assert (await zoned.ok("GET", f"{PATH}/versions?before=3&limit=1"))["items"] == [found[1]]


async def test_an_app_has_at_most_50(shop: Api) -> None:
    for n in range(MAX_SCENARIOS):
        await put(shop, path=f"{PATH}-{n}")
    assert await refused(shop, HELLO) == (422, "too_many", [])
    await put(shop, {**HELLO, "name": "Other"}, f"{PATH}-7")
    await shop.ok("DELETE", f"{PATH}-7")
    await put(shop)
    assert await refused(shop, HELLO, f"{PATH}-7") == (422, "too_many", [])


async def test_a_scenario_has_at_most_64_kib(shop: Api) -> None:
    for extra, status in ((0, 200), (1, 413)):
        written = orjson.dumps(HELLO).ljust(MAX_SCENARIO_BYTES + extra)
        answer = await shop.call("PUT", PATH, content=written)
        assert answer.status_code == status
    assert answer.json()["message"] == "a scenario has at most 64 KiB"
    written = orjson.dumps({"days": 1, "scenario": HELLO}).ljust(MAX_SCENARIO_BYTES + 1)
    for route in ("simulate", "preview"):
        answer = await shop.call("POST", f"{PATH}/{route}", content=written)
        assert answer.status_code == 413, route


async def test_errors_name_their_field(shop: Api) -> None:
    body = with_value(HELLO, "steps.0.chose", {})
    assert await refused(shop, body) == (422, "invalid", ["body.steps.0.chose"])
    body = {**HELLO, "enter": {"on": "viewed"}, "until": ["emptied"]}
    assert await refused(shop, body) == (422, "emptied_needs_basket", ["body.until"])
    answer = await shop.call("PUT", PATH, content=b"[")
    assert answer.json()["code"] == "invalid_json"


async def test_what_is_on_needs_its_campaigns_a_zone_and_a_catalogue(shop: Api) -> None:
    body = with_value(ON, "steps.0.campaign", "welcom")
    zone = "app_time_zone_missing"
    both = ["body.steps.0.campaign", "body.enabled"]
    assert await refused(shop, body) == (422, "unknown_campaign", both)
    assert await refused(shop, ON) == (422, zone, ["body.enabled"])
    await shop.put_app(quietHours=False)
    await put(shop, ON)
    drop = {**ON, "enter": {"on": "priceDrop"}}
    assert await refused(shop, drop) == (422, "no_catalogue", ["body.enter.on"])
    await put(shop, {**drop, "enabled": False})


async def test_the_time_zone_stays_while_a_scenario_needs_it(zoned: Api) -> None:
    await put(zoned, ON)
    answer = await zoned.call("PUT", "/v1/apps/demo", json=zoned.an_app())
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "app_time_zone_missing")
    assert "scenario basket is on" in problem["message"]
    await zoned.put_app(quietHours=False)  # then nothing is local
    await put(zoned, HELLO)
    await zoned.put_app()


async def test_a_campaign_gets_no_night_where_the_app_has_no_zone(shop: Api) -> None:
    await shop.put_app(quietHours=False)
    await put(shop, ON)
    path = f"/v1/apps/demo/campaigns/{ON['steps'][0]['campaign']}"
    campaign = await shop.ok("GET", path)
    night = with_value(campaign, "policy.quietHours", {"from": "21:00", "to": "08:00"})
    answer = await shop.call("PUT", path, json=night)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "app_time_zone_missing")
    assert problem["message"].startswith("body.policy.quietHours: the app has no timeZone")
    assert await shop.ok("GET", path) == campaign
    await put(shop, HELLO)
    await shop.ok("PUT", path, json=night)


async def test_unknown_names_are_answered_with_the_nearest(shop: Api) -> None:
    await put(shop)
    answer = await shop.call("GET", "/v1/apps/demo/scenarios/baskt")
    assert answer.json()["message"] == "no such scenario; did you mean `basket`?"
    for method in ("GET", "PUT"):
        path = "/v1/apps/nobody/scenarios" + ("/x" if method == "PUT" else "")
        answer = await shop.call(method, path, json=HELLO)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_app")


async def test_reading_needs_read_and_changing_operate(shop: Api) -> None:
    await put(shop)
    token = await shop.ok(
        "POST", "/v1/tokens", json={"name": "x", "role": "read", "apps": ["demo"]}
    )
    async with client(shop.sender, Authorization=f"Bearer {token['token']}") as reader:
        for path in (PATH, f"{PATH}/versions", "/v1/apps/demo/scenarios", "/v1/scenario-templates"):
            assert (await reader.get(path)).status_code == 200, path
        assert (await reader.put(PATH, json=HELLO)).json()["code"] == "role_too_low"
        assert (await reader.delete(PATH)).json()["code"] == "role_too_low"


async def test_changes_are_audited(shop: Api) -> None:
    await put(shop)
    await shop.ok("DELETE", PATH)
    found = (await shop.ok("GET", "/v1/audit?limit=2"))["items"]
    assert [(entry["method"], entry["target"]) for entry in found] == [
        ("DELETE", {"app": "demo", "scenario": "basket"}),
        ("PUT", {"app": "demo", "scenario": "basket"}),
    ]


async def test_templates_can_be_put_as_they_are(zoned: Api) -> None:
    templates = (await zoned.ok("GET", "/v1/scenario-templates"))["items"]
    ids = [template["id"] for template in templates]
    assert ids == ["abandoned-basket", "replenish", "welcome", "win-back"]
    for template in templates:
        assert template["scenario"]["enabled"] is False and template["description"]
        for campaign in template["campaigns"]:
            read = validate_strictly(CampaignBody, campaign["body"])
            for texts in (read.variants[0].headings, read.variants[0].contents):
                assert texts.keys() == {"en", "de", "cs"}, campaign["id"]
            await zoned.ok(
                "PUT", f"/v1/apps/demo/campaigns/{campaign['id']}", json=campaign["body"]
            )
        path = f"/v1/apps/demo/scenarios/{template['id']}"
        await put(zoned, template["scenario"], path)
        await put(zoned, {**template["scenario"], "enabled": True}, path)  # nothing is missing
