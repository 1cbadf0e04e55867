"""A preview of quiet hours: whose night it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from shared.clock import utc_now
from tests.integration.sender.intake_harness import IntakeHarness, open_door
from tests.integration.sender.test_preview import ALL, crowd, offer, preview


@pytest.fixture
async def door(mongo_uri: str, tmp_path: Path) -> AsyncIterator[IntakeHarness]:
    async with open_door(mongo_uri, tmp_path) as door:
        yield door


async def test_f25_people_without_a_zone_are_warned_of(door: IntakeHarness) -> None:
    """Until the app has a zone: then theirs is known."""
    await crowd(door, 30)
    now = utc_now()
    night = {"from": f"{now:%H}:00", "to": f"{now + timedelta(hours=3):%H}:00"}
    await offer(door, {"quietHours": night})
    people = door.database["profiles"]
    await people.update_many({}, {"$set": {"timeZone": "Mars/Base"}})
    told = await preview(door, **ALL)
    (warning,) = [w for w in told["warnings"] if w["code"] == "time_zone_unknown"]
    assert "the app has no timeZone" in warning["message"]
    assert told["quietHours"]["waiting"] == told["wouldGet"]["players"] > 0
    await door.database["apps"].update_one({}, {"$set": {"timeZone": "Asia/Tokyo"}})
    await door.sender.apps.refresh()
    told = await preview(door, **ALL)
    assert told["warnings"] == [] and told["quietHours"] is None
