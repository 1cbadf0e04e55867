"""Tests of an app's rules for all its marketing: control group and cap.

A send keeps the rules that it began with.
"""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from sender_service.models.send import NEVER
from shared.clock import utc_now
from tests.integration.sender.intake_harness import (
    IntakeHarness,
    a_campaign,
    a_trigger,
)

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]


async def set_group(harness: IntakeHarness, share: Any) -> int:
    return await change_app(harness, controlGroup=share)


async def change_app(harness: IntakeHarness, **fields: Any) -> int:
    app = (await harness.http.get("/v1/apps/demo")).json()
    answer = await harness.http.put("/v1/apps/demo", json={**app, **fields})
    await harness.sender.context.apps.refresh()
    return answer.status_code


def with_cap(count: int) -> dict[str, Any]:
    return {**a_campaign(), "policy": {"cap": {"count": count, "days": 7}}}


async def held_out(harness: IntakeHarness, campaign: str = "welcome") -> set[str]:
    return await passed_over(harness, campaign, "holdout")


async def passed_over(
    harness: IntakeHarness, campaign: str, reason: str, **fields: Any
) -> set[str]:
    """People to whom the next send of the campaign doesn't go for this reason."""
    trigger = a_trigger(audience={"all": True}, campaign=campaign, **fields)
    assert await harness.publish_triggers(trigger) == [None]
    await harness.plan()
    return {
        page.members[int(index)][1]
        for page in await harness.pages(trigger["id"])
        for index, outcome in page.document["outcomes"].items()
        if outcome == ["suppressed", reason]
    }


async def test_no_campaign_reaches_the_control_group(harness: IntakeHarness) -> None:
    await harness.put("/v1/apps/demo/campaigns/other", a_campaign())
    for n in range(40):
        await harness.person(f"n{n}", str(uuid.uuid4()))
    assert await held_out(harness) == set()
    assert await set_group(harness, 0.5) == 200
    assert (await harness.http.get("/v1/apps/demo")).json()["controlGroup"] == 0.5
    group = await held_out(harness)
    assert 5 < len(group) < 35 and await held_out(harness, "other") == group
    preview = await harness.http.post("/v1/sends/preview", json=a_trigger(audience={"all": True}))
    assert preview.json()["suppressed"] == {"holdout": len(group)}


async def test_a_send_keeps_the_group_it_began_with(harness: IntakeHarness) -> None:
    harness.sender.context.settings.plan.page_members = 1
    for n in range(12):
        await harness.person(f"n{n}", str(uuid.uuid4()))
    trigger = a_trigger(audience={"all": True})
    await harness.publish_triggers(trigger)
    await harness.plan()
    await set_group(harness, 0.9)
    await plan_again(harness, trigger["id"], pages=6)
    pages = await harness.pages(trigger["id"])
    assert len(pages) == 12 and not any(page.document["outcomes"] for page in pages)


async def plan_again(harness: IntakeHarness, send: str, *, pages: int) -> None:
    """Plan again, as if the send's planner had died after so many pages."""
    kept = [page.id for page in (await harness.pages(send))[:pages]]
    await harness.database["pages"].delete_many({"send": send, "_id": {"$nin": kept}})
    again = {"state": "planning", "planDue": utc_now(), "planner": None, "closedAt": None}
    await harness.database["sends"].update_one({"_id": send}, {"$set": again})
    await harness.plan()
    found = await harness.sender.context.stores.sends.get(send)
    assert found is not None and found.plan_due == NEVER


@pytest.mark.parametrize("share", [-0.1, 1, "many"])
async def test_share_that_cannot_be_is_refused(harness: IntakeHarness, share: Any) -> None:
    assert await set_group(harness, share) == 422


async def test_cap_of_an_app_counts_all_its_campaigns(harness: IntakeHarness) -> None:
    # Also those that have none, or a wider one, of their own.
    await harness.put("/v1/apps/demo/campaigns/other", with_cap(5))
    await harness.put("/v1/apps/demo/campaigns/tight", with_cap(1))
    await harness.person("ann", str(uuid.uuid4()))
    assert (
        await passed_over(harness, "welcome", "capped") == set()
    )  # before there was one: not noted
    assert await change_app(harness, cap={"count": 2, "days": 1}) == 200
    assert (await harness.http.get("/v1/apps/demo")).json()["cap"] == {"count": 2, "days": 1}
    assert await passed_over(harness, "welcome", "capped") == set()
    assert len(await passed_over(harness, "tight", "capped")) == 1  # by its own
    assert await passed_over(harness, "other", "capped") == set()
    assert len(await passed_over(harness, "welcome", "capped")) == 1
    assert len(await passed_over(harness, "other", "capped")) == 1
    assert await passed_over(harness, "welcome", "capped", priority="transactional") == set()
    preview = await harness.http.post("/v1/sends/preview", json=a_trigger(audience={"all": True}))
    assert preview.json()["suppressed"] == {"capped": 1}
    assert await change_app(harness, cap=None) == 200
    assert await passed_over(harness, "welcome", "capped") == set()


async def test_a_send_keeps_the_cap_it_began_with(harness: IntakeHarness) -> None:
    harness.sender.context.settings.plan.page_members = 1
    for n in range(4):
        await harness.person(f"n{n}", str(uuid.uuid4()))
    await change_app(harness, cap={"count": 1, "days": 1})
    assert await passed_over(harness, "welcome", "capped") == set()
    trigger = a_trigger(audience={"all": True})
    await harness.publish_triggers(trigger)
    await harness.plan()
    await change_app(harness, cap=None)
    await plan_again(harness, trigger["id"], pages=2)
    pages = await harness.pages(trigger["id"])
    assert [page.document["outcomes"] for page in pages] == [{"0": ["suppressed", "capped"]}] * 4


@pytest.mark.parametrize(
    "cap", [{"count": 0, "days": 1}, {"count": 1}, {"count": 1, "days": 91}, 3, "one"]
)
async def test_cap_that_cannot_be_is_refused(harness: IntakeHarness, cap: Any) -> None:
    app = (await harness.http.get("/v1/apps/demo")).json()
    answer = await harness.http.put("/v1/apps/demo", json={**app, "cap": cap})
    assert answer.status_code == 422 and answer.json()["errors"][0]["field"].startswith("body.cap")
