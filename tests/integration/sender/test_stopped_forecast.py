"""A send of an app that stopped doesn't say how long it will take."""

from __future__ import annotations

from tests.integration.sender.intake_harness import IntakeHarness, a_trigger
from tests.integration.sender.previews import ALL_AUDIENCE, add_people, put_campaign


async def test_a_stopped_apps_send_does_not_report_how_long(harness: IntakeHarness) -> None:
    # An operator has to resume the app, so no time is known. Seen: one second, as long as it stood.
    await add_people(harness, 60)
    await put_campaign(harness)
    trigger = a_trigger(**ALL_AUDIENCE)
    await harness.publish_triggers(trigger)
    await harness.plan()
    for state, forecast in (("stopped", None), ("active", {"seconds": 1})):
        await harness.database["apps"].update_one({"_id": "demo"}, {"$set": {"state": state}})
        await harness.sender.context.apps.refresh()
        account = (await harness.http.get(f"/v1/sends/{trigger['id']}")).json()
        assert (account["pending"] > 0, account["forecast"]) == (True, forecast)
