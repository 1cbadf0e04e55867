"""An app's control group: whom no campaign reaches; a send keeps the one it began with."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sender_service.models.send import NEVER
from shared.clock import utc_now
from tests.integration.sender.door import Door, a_campaign, a_trigger, open_door

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]


@pytest.fixture
async def door(mongo_uri: str, tmp_path: Path) -> AsyncIterator[Door]:
    async with open_door(mongo_uri, tmp_path) as door:
        yield door


async def set_group(door: Door, share: Any) -> int:
    app = (await door.http.get("/v1/apps/demo")).json()
    answer = await door.http.put("/v1/apps/demo", json={**app, "controlGroup": share})
    await door.sender.apps.refresh()
    return answer.status_code


async def held_out(door: Door, campaign: str = "welcome") -> set[str]:
    trigger = a_trigger(audience={"all": True}, campaign=campaign)
    assert await door.say(trigger) == [None]
    await door.plan()
    return {
        page["members"][int(index)][1]
        for page in await door.pages(trigger["id"])
        for index, outcome in page["outcomes"].items()
        if outcome == ["suppressed", "holdout"]
    }


async def test_no_campaign_reaches_the_control_group(door: Door) -> None:
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


async def test_a_send_keeps_the_group_it_began_with(door: Door) -> None:
    door.sender.settings.plan.page_members = 1
    for n in range(12):
        await door.person(f"n{n}", str(uuid.uuid4()))
    trigger = a_trigger(audience={"all": True})
    await door.say(trigger)
    await door.plan()
    await set_group(door, 0.9)
    # As if its planner had died after the sixth page: another one goes on.
    kept = [page["_id"] for page in (await door.pages(trigger["id"]))[:6]]
    await door.database["pages"].delete_many({"send": trigger["id"], "_id": {"$nin": kept}})
    again = {"state": "planning", "planDue": utc_now(), "planner": None, "closedAt": None}
    await door.database["sends"].update_one({"_id": trigger["id"]}, {"$set": again})
    await door.plan()
    found = await door.sender.sends.get(trigger["id"])
    assert found is not None and found["planDue"] == NEVER
    pages = await door.pages(trigger["id"])
    assert len(pages) == 12 and not any(page["outcomes"] for page in pages)


@pytest.mark.parametrize("share", [-0.1, 1, "many"])
async def test_share_that_cannot_be_is_refused(door: Door, share: Any) -> None:
    assert await set_group(door, share) == 422
