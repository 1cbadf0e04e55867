"""What an app says of all its marketing, control group and cap; a send keeps what it began with."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sender_service.models.send import NEVER
from shared.clock import utc_now
from tests.integration.sender.intake_harness import IntakeHarness, a_campaign, a_trigger, open_door

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]


@pytest.fixture
async def door(mongo_uri: str, tmp_path: Path) -> AsyncIterator[IntakeHarness]:
    async with open_door(mongo_uri, tmp_path) as door:
        yield door


async def set_group(door: IntakeHarness, share: Any) -> int:
    return await change_app(door, controlGroup=share)


async def change_app(door: IntakeHarness, **fields: Any) -> int:
    app = (await door.http.get("/v1/apps/demo")).json()
    answer = await door.http.put("/v1/apps/demo", json={**app, **fields})
    await door.sender.apps.refresh()
    return answer.status_code


def with_cap(count: int) -> dict[str, Any]:
    return {**a_campaign(), "policy": {"cap": {"count": count, "days": 7}}}


async def held_out(door: IntakeHarness, campaign: str = "welcome") -> set[str]:
    return await passed_over(door, campaign, "holdout")


async def passed_over(door: IntakeHarness, campaign: str, reason: str, **fields: Any) -> set[str]:
    """People to whom the next send of the campaign doesn't go for this reason."""
    trigger = a_trigger(audience={"all": True}, campaign=campaign, **fields)
    assert await door.publish_triggers(trigger) == [None]
    await door.plan()
    return {
        page["members"][int(index)][1]
        for page in await door.pages(trigger["id"])
        for index, outcome in page["outcomes"].items()
        if outcome == ["suppressed", reason]
    }


async def test_no_campaign_reaches_the_control_group(door: IntakeHarness) -> None:
    await door.put("/v1/apps/demo/campaigns/other", a_campaign())
    for n in range(40):
        await door.person(f"n{n}", str(uuid.uuid4()))
    assert await held_out(door) == set()
    assert await set_group(door, 0.5) == 200
    assert (await door.http.get("/v1/apps/demo")).json()["controlGroup"] == 0.5
    group = await held_out(door)
    assert 5 < len(group) < 35 and await held_out(door, "other") == group
    preview = await door.http.post("/v1/sends/preview", json=a_trigger(audience={"all": True}))
    assert preview.json()["suppressed"] == {"holdout": len(group)}


async def test_a_send_keeps_the_group_it_began_with(door: IntakeHarness) -> None:
    door.sender.settings.plan.page_members = 1
    for n in range(12):
        await door.person(f"n{n}", str(uuid.uuid4()))
    trigger = a_trigger(audience={"all": True})
    await door.publish_triggers(trigger)
    await door.plan()
    await set_group(door, 0.9)
    await plan_again(door, trigger["id"], pages=6)
    pages = await door.pages(trigger["id"])
    assert len(pages) == 12 and not any(page["outcomes"] for page in pages)


async def plan_again(door: IntakeHarness, send: str, *, pages: int) -> None:
    """As if its planner had died after so many pages: another one goes on."""
    kept = [page["_id"] for page in (await door.pages(send))[:pages]]
    await door.database["pages"].delete_many({"send": send, "_id": {"$nin": kept}})
    again = {"state": "planning", "planDue": utc_now(), "planner": None, "closedAt": None}
    await door.database["sends"].update_one({"_id": send}, {"$set": again})
    await door.plan()
    found = await door.sender.sends.get(send)
    assert found is not None and found["planDue"] == NEVER


@pytest.mark.parametrize("share", [-0.1, 1, "many"])
async def test_share_that_cannot_be_is_refused(door: IntakeHarness, share: Any) -> None:
    assert await set_group(door, share) == 422


async def test_cap_of_an_app_counts_all_its_campaigns(door: IntakeHarness) -> None:
    """Also those that have none, or a wider one, of their own."""
    await door.put("/v1/apps/demo/campaigns/other", with_cap(5))
    await door.put("/v1/apps/demo/campaigns/tight", with_cap(1))
    await door.person("ann", str(uuid.uuid4()))
    assert await passed_over(door, "welcome", "capped") == set()  # before there was one: not noted
    assert await change_app(door, cap={"count": 2, "days": 1}) == 200
    assert (await door.http.get("/v1/apps/demo")).json()["cap"] == {"count": 2, "days": 1}
    assert await passed_over(door, "welcome", "capped") == set()
    assert len(await passed_over(door, "tight", "capped")) == 1  # by its own
    assert await passed_over(door, "other", "capped") == set()
    assert len(await passed_over(door, "welcome", "capped")) == 1
    assert len(await passed_over(door, "other", "capped")) == 1
    assert await passed_over(door, "welcome", "capped", priority="transactional") == set()
    preview = await door.http.post("/v1/sends/preview", json=a_trigger(audience={"all": True}))
    assert preview.json()["suppressed"] == {"capped": 1}
    assert await change_app(door, cap=None) == 200
    assert await passed_over(door, "welcome", "capped") == set()


async def test_a_send_keeps_the_cap_it_began_with(door: IntakeHarness) -> None:
    door.sender.settings.plan.page_members = 1
    for n in range(4):
        await door.person(f"n{n}", str(uuid.uuid4()))
    await change_app(door, cap={"count": 1, "days": 1})
    assert await passed_over(door, "welcome", "capped") == set()
    trigger = a_trigger(audience={"all": True})
    await door.publish_triggers(trigger)
    await door.plan()
    await change_app(door, cap=None)
    await plan_again(door, trigger["id"], pages=2)
    pages = await door.pages(trigger["id"])
    assert [page["outcomes"] for page in pages] == [{"0": ["suppressed", "capped"]}] * 4


@pytest.mark.parametrize(
    "cap", [{"count": 0, "days": 1}, {"count": 1}, {"count": 1, "days": 91}, 3, "one"]
)
async def test_cap_that_cannot_be_is_refused(door: IntakeHarness, cap: Any) -> None:
    app = (await door.http.get("/v1/apps/demo")).json()
    answer = await door.http.put("/v1/apps/demo", json={**app, "cap": cap})
    assert answer.status_code == 422 and answer.json()["errors"][0]["field"].startswith("body.cap")
