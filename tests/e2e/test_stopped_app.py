"""An app that OneSignal disables stops by itself, and resumed it reaches everybody once."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.support.carillon import Carillon, Shop, campaign
from tests.support.stack import eventually

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]
PEOPLE = 60


async def test_disabled_app_resumes_where_it_stopped(carillon: Carillon, shop: Shop) -> None:
    odds = {"display": 0, "click": 0, "close": 0}
    players = await carillon.register(shop, PEOPLE, odds=odds)
    await carillon.ops(
        "PUT", f"/v1/apps/{shop.app}/campaigns/named", json=campaign("For {{ name }}")
    )
    recipients = [{"visitor": f"v{n}", "variables": {"name": f"{n}"}} for n in range(PEOPLE)]
    app = f"/sandbox/apps/{shop.one_signal}"
    await carillon.sandbox("PUT", app, json={"disabled": True})
    send = await carillon.trigger(shop, campaign="named", recipients=recipients)

    async def stopped() -> Any:
        body = await carillon.ops("GET", f"/v1/apps/{shop.app}")
        return body if body["state"] == "stopped" else None

    body = await eventually(stopped, 30)
    assert body["stoppedBecause"].startswith("onesignal_403: ")
    lines = [orjson.loads(line) for line in carillon.log("sender").splitlines()]
    loud = [line for line in lines if line["level"] == "error" and line.get("app") == shop.app]
    assert {line["message"] for line in loud} == {"app stopped"}
    account = await carillon.ops("GET", f"/v1/sends/{send}")
    assert (account["sent"], account["pending"]) == (0, PEOPLE)
    assert account["failed"] == account["suppressed"] == {}

    await carillon.sandbox("PUT", app, json={"disabled": False})
    await carillon.ops("POST", f"/v1/apps/{shop.app}/resume")
    account = await carillon.closed(send, 60)
    assert (account["state"], account["sent"]) == ("done", PEOPLE)
    pushes = (await carillon.tally(shop))["pushes"]
    assert sorted(push["player_id"] for push in pushes) == sorted(players)
    assert {push["deliveries"] for push in pushes} == {1}
