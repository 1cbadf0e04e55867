"""A scenario's reminder while a personalised broadcast keeps a free plan's requests busy."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import pytest

from sender_service.providers.onesignal.limits import REQUESTS_PER_SECOND
from tests.support.carillon import Carillon, Shop, campaign
from tests.support.stack import eventually

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]

PEOPLE = 2_000  # a call each: 14 s of the plan's rate, and the reminder needs a half at most
BEGUN = 100  # calls after which she fills her basket
RATE = REQUESTS_PER_SECOND["free"]
# Released ahead of her are at most 2 s of calls; more leave while hers is planned.
OVERTAKEN_BY = 4 * RATE
QUIET = {"display": 0, "click": 0, "close": 0}
ONE_A_DAY, TWO_A_DAY = ({"count": count, "days": 1} for count in (1, 2))


def _scenario(on: str, pushes: str) -> dict[str, Any]:
    steps = [{"id": "now", "campaign": pushes}]
    return {"name": on, "enabled": True, "enter": {"on": on}, "steps": steps, "until": ["bought"]}


async def _open(carillon: Carillon) -> Shop:
    """Open a shop on a free plan; who fills a basket or looks at a category is reminded at once."""
    zone = "Europe/Prague"
    shop = await carillon.open_shop("free", timeZone=zone, quietHours=False, cap=TWO_A_DAY)
    path = f"/v1/apps/{shop.app}"
    texts: dict[str, tuple[str, dict[str, Any]]] = {
        "named": ("For {{ name }}", {}),
        "basket": ("Yours", {}),
        "category": ("New", {"cap": ONE_A_DAY}),
    }
    for id, (text, policy) in texts.items():
        body = {**campaign(text), "policy": policy}
        await carillon.ops("PUT", f"{path}/campaigns/{id}", json=body)
    for on in ("basket", "category"):
        await carillon.ops("PUT", f"{path}/scenarios/{on}", json=_scenario(on, on))
    return shop


async def _pushes(carillon: Carillon, shop: Shop) -> dict[str, list[float]]:
    """Return by send when OneSignal got its pushes, in order."""
    tally = await carillon.sandbox("GET", f"/sandbox/tally?app_id={shop.one_signal}")
    found: dict[str, list[float]] = {}
    for push in sorted(tally["pushes"], key=lambda push: push["queued_at"]):
        found.setdefault(push["data"]["carillon"].split(".")[2], []).append(push["queued_at"])
    return found


async def _reminder(carillon: Carillon, shop: Shop, scenario: str) -> Any:
    """Return the account of the scenario's send, once it is closed."""

    async def fired() -> Any:
        sends = (await carillon.ops("GET", f"/v1/sends?app={shop.app}"))["items"]
        return next((s for s in sends if s.get("scenario", {}).get("id") == scenario), None)

    return await carillon.closed((await eventually(fired, 60, every=0.2))["id"], 60)


async def test_a_reminder_overtakes_a_personalised_broadcast(carillon: Carillon) -> None:
    shop = await _open(carillon)
    players = await carillon.register(shop, PEOPLE, odds=QUIET)
    recipients = [{"player": p, "variables": {"name": f"n{n}"}} for n, p in enumerate(players)]
    broadcast = await carillon.trigger(shop, campaign="named", recipients=recipients)

    async def is_under_way() -> bool:
        return int((await carillon.ops("GET", f"/v1/sends/{broadcast}"))["sent"]) >= BEGUN

    await eventually(is_under_way, 60, every=0.3)
    basket = {"basketItems": {"202": {"quantity": 1, "price": 21.0}}, "basketTotal": 21.0}
    category = {"pageType": "category", "categoryID": "cups"}
    data = {"v0": {"currency": "EUR", **basket}, "v1": category}
    await carillon.collect(
        shop, [{"type": "pageview", "visitorId": v, "data": d} for v, d in data.items()]
    )
    reminder, capped = await asyncio.gather(
        *(_reminder(carillon, shop, on) for on in ("basket", "category"))
    )

    assert (reminder["priority"], reminder["sent"]) == ("triggered", 1)
    # The broadcast's was one today already: who goes first goes by her campaign's cap all the same.
    assert (capped["sent"], capped["suppressed"]) == (0, {"capped": 1})
    account = await carillon.ops("GET", f"/v1/sends/{broadcast}")
    assert account["pending"] > 0, "the broadcast ended before the reminder could overtake it"
    at = await _pushes(carillon, shop)
    [hers] = at[reminder["id"]]
    made = datetime.fromisoformat(reminder["createdAt"]).timestamp()
    assert sum(made < other < hers for other in at[broadcast]) <= OVERTAKEN_BY
    await carillon.ops("POST", f"/v1/sends/{broadcast}/cancel")
    await carillon.closed(broadcast, 60)
