"""The demo's scenario on real processes: who leaves a basket is reminded of it, who bought is not."""

from __future__ import annotations

from typing import Any

import pytest

from deploy.local.demo import APP, LOGIN_SECRET, WEBHOOK_KEY, WRITE_KEY
from deploy.local.settings import DEMO_APP_ID, DEMO_REST_KEY
from tests.support.carillon import Carillon, Shop, prove
from tests.support.stack import eventually

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]

DEMO = Shop(APP, DEMO_APP_ID, WRITE_KEY, WEBHOOK_KEY)
REMINDED_SECONDS = 150.0  # a minute's silence, the waker's 5 s, and a busy machine


def _basket(visitor: str, item: str) -> dict[str, Any]:
    data = {"basketItems": {item: {"quantity": 1, "price": 21.0}}, "basketTotal": 21.0}
    return {"type": "pageview", "visitorId": visitor, "data": {"currency": "EUR", **data}}


def _order(visitor: str, item: str) -> dict[str, Any]:
    transaction = {"id": f"order-of-{visitor}", "revenue": 21.0}
    data = {"transaction": transaction, "basketItems": {item: {"quantity": 1, "price": 21.0}}}
    return {"type": "pageview", "visitorId": visitor, "data": {"currency": "EUR", **data}}


async def _text(carillon: Carillon, notification: str) -> str:
    """Return the English text that OneSignal was given."""
    headers = {"Authorization": f"Key {DEMO_REST_KEY}"}
    url = f"/notifications/{notification}?app_id={DEMO_APP_ID}"
    found = await carillon.sandbox("GET", url, headers=headers)
    return str(found["contents"]["en"])


async def _runs(carillon: Carillon, visitor: str) -> list[tuple[str, str | None, int]]:
    """Return the visitor's runs: the state of each, why it ended, how often it pushed."""
    person = await _person(carillon, visitor=visitor)
    runs = (await carillon.ops("GET", f"/v1/people/{person['id']}/export"))["runs"]
    return [(run["state"], (run["ended"] or {}).get("why"), len(run["pushes"])) for run in runs]


async def _has(carillon: Carillon, visitor: str, *run: str | int | None) -> None:
    """Wait until this is the visitor's only run."""

    async def is_so() -> bool:
        return await _runs(carillon, visitor) == [run]

    await eventually(is_so, 20)


async def _person(carillon: Carillon, **name: str) -> Any:
    found = await carillon.ops("POST", "/v1/people/search", json={"app": APP, **name})
    return found["items"][0] if found["items"] else None


async def test_left_basket_is_reminded_of_and_bought_one_is_not(carillon: Carillon) -> None:
    anna, *_ = await carillon.register(DEMO, 5)
    proof = {"login": "bert", "loginHash": prove("bert", LOGIN_SECRET)}
    for visitor in ("v1", "v2"):  # his laptop and his phone
        await carillon.collect(DEMO, [{"type": "identify", "visitorId": visitor, "data": proof}])

    async def is_one() -> bool:
        bert = await _person(carillon, login="bert")
        return bert is not None and len(bert["players"]) == 2

    await eventually(is_one, 20)
    for visitor in ("v1", "v3", "v4"):
        await carillon.collect(DEMO, [_basket(visitor, "202")])
        await _has(carillon, visitor, "waiting", None, 0)
    await carillon.collect(DEMO, [_order("v2", "202"), _order("v3", "202")])
    emptied = {"basketItems": {}, "basketTotal": 0}
    await carillon.collect(DEMO, [{"type": "pageview", "visitorId": "v4", "data": emptied}])
    # The last, so the others' minutes are over before hers.
    await carillon.collect(DEMO, [_basket("v0", "203")])

    async def pushes() -> Any:
        return (await carillon.tally(DEMO))["pushes"]

    [push] = await eventually(pushes, REMINDED_SECONDS, every=0.2)
    assert push["player_id"] == anna  # and nobody else's
    assert "Singing bowl" in await _text(carillon, push["notification_id"])
    await _has(carillon, "v0", "waiting", None, 1)
    for visitor, why in (("v1", "bought"), ("v3", "bought"), ("v4", "emptied")):
        await _has(carillon, visitor, "over", why, 0)
    await carillon.collect(DEMO, [_order("v0", "203")])
    await _has(carillon, "v0", "over", "bought", 1)
    [send] = (await carillon.ops("GET", f"/v1/sends?app={APP}"))["items"]
    assert (send["priority"], send["audience"], send["sent"]) == ("triggered", 1, 1)
