"""A send of an app that stopped doesn't say how long it will take."""

from __future__ import annotations

from tests.integration.sender.intake_harness import IntakeHarness, a_trigger
from tests.integration.sender.test_preview import ALL, crowd, offer
from tests.integration.sender.test_preview import door as door


async def test_a_stopped_apps_send_does_not_tell_how_long(door: IntakeHarness) -> None:
    """Nobody knows: somebody has to resume the app. Seen: one second, for as long as it stood."""
    await crowd(door, 60)
    await offer(door)
    trigger = a_trigger(**ALL)
    await door.publish_triggers(trigger)
    await door.plan()
    for state, forecast in (("stopped", None), ("active", {"seconds": 1})):
        await door.database["apps"].update_one({"_id": "demo"}, {"$set": {"state": state}})
        await door.sender.apps.refresh()
        account = (await door.http.get(f"/v1/sends/{trigger['id']}")).json()
        assert (account["pending"] > 0, account["forecast"]) == (True, forecast)
