"""A preview of quiet hours: whose night it is."""

from __future__ import annotations

from datetime import timedelta

from shared.clock import utc_now
from tests.integration.sender.intake_harness import IntakeHarness
from tests.integration.sender.previews import (
    ALL_AUDIENCE,
    add_people,
    put_campaign,
    request_preview,
)


async def test_f25_people_without_a_zone_are_warned_of(harness: IntakeHarness) -> None:
    # Until the app has a zone: then theirs is known.
    await add_people(harness, 30)
    now = utc_now()
    night = {"from": f"{now:%H}:00", "to": f"{now + timedelta(hours=3):%H}:00"}
    await put_campaign(harness, {"quietHours": night})
    people = harness.database["profiles"]
    await people.update_many({}, {"$set": {"timeZone": "Mars/Base"}})
    preview = await request_preview(harness, **ALL_AUDIENCE)
    (warning,) = [w for w in preview["warnings"] if w["code"] == "time_zone_unknown"]
    assert "the app has no timeZone" in warning["message"]
    assert preview["quietHours"]["waiting"] == preview["wouldReceive"]["players"] > 0
    await harness.database["apps"].update_one({}, {"$set": {"timeZone": "Asia/Tokyo"}})
    await harness.sender.context.apps.refresh()
    preview = await request_preview(harness, **ALL_AUDIENCE)
    assert preview["warnings"] == [] and preview["quietHours"] is None
