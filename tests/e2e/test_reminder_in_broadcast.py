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
    policy = {"timeZone": "Europe/Prague", "quietHours": False, "cap": TWO_A_DAY}
    shop = await carillon.open_shop("free", **policy)
    path = f"/v1/apps/{shop.app}"
    texts = {
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
