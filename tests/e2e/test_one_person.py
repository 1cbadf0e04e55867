"""One person over a login, a payment, an undone merge and an erasure, through both services."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from tests.support.carillon import Carillon, Shop, campaign, prove
from tests.support.stack import eventually

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]
SERVER_KEY = "sk_of_the_shop"


async def _found(carillon: Carillon, shop: Shop, **name: str) -> Any:
    """Return the one person whom the name leads to; None where there is none."""
    found = await carillon.ops("POST", "/v1/people/search", json={"app": shop.app, **name})
    return found["items"][0] if found["items"] else None


async def _sent(
    carillon: Carillon, shop: Shop, priority: str = "marketing", **name: str
) -> tuple[int, dict[str, int]]:
    """Trigger for the one name; return the pushes sent, and those suppressed by reason."""
    send = await carillon.trigger(shop, priority=priority, recipients=[name])
    account = await carillon.closed(send)
    return account["sent"], account["suppressed"]


async def _open_shop(carillon: Carillon) -> Shop:
    """Open a shop with a server key, and a cap of one push a day."""
    shop = await carillon.open_shop()
    body = await carillon.ops("GET", f"/v1/apps/{shop.app}")
    keys = [*body["keys"], {"id": "server", "kind": "server", "key": SERVER_KEY}]
    await carillon.ops("PUT", f"/v1/apps/{shop.app}", json={**body, "keys": keys})
    capped = {**campaign(), "policy": {"cap": {"count": 1, "days": 1}}}
    await carillon.ops("PUT", f"/v1/apps/{shop.app}/campaigns/hello", json=capped)
    return shop


async def _pay(carillon: Carillon, login: str) -> None:
    """Report an order as a payment callback does, once the key is known."""
    event = {"type": "purchase", "login": login, "data": {"id": "o-1", "items": []}}
    url = carillon.url("ingest", "/v1/events")

    async def is_stored() -> bool:
        answer = await carillon.http.post(url, headers={"X-Write-Key": SERVER_KEY}, json=event)
        return answer.status_code == 202

    await eventually(is_stored, 20, every=0.1)


async def test_one_person_by_each_name(carillon: Carillon) -> None:
    shop = await _open_shop(carillon)
    await carillon.register(shop, 1)
    anonymous = await _found(carillon, shop, visitor="v0")
    assert await _sent(carillon, shop, person=anonymous["id"]) == (1, {})
    proof = {"login": "ann", "loginHash": prove("ann")}
    await carillon.collect(shop, [{"type": "identify", "visitorId": "v0", "data": proof}])
    await _pay(carillon, "ann")

    async def is_joined() -> Any:
        ann = await _found(carillon, shop, person=anonymous["id"])
        is_whole = ann is not None and ann["login"] == "ann" and len(ann["visitors"]) == 2
        return ann if is_whole else None

    ann = await eventually(is_joined, 20)
    assert ann["visitors"][0].startswith("login:") and ann["visitors"][1] == "v0"
    assert len(ann["players"]) == 1
    for name in ({"person": anonymous["id"]}, {"person": ann["id"]}, {"login": "ann"}):
        assert await _sent(carillon, shop, **name) == (0, {"capped": 1})
    assert await _sent(carillon, shop, "transactional", person=anonymous["id"]) == (1, {})

    path = f"/v1/people/{ann['id']}"
    await carillon.ops("POST", f"{path}/merges/undo", json={"merge": anonymous["id"]})

    async def is_undone() -> bool:
        return not (await _found(carillon, shop, login="ann"))["aliases"]

    await eventually(is_undone, 20)
    assert await _sent(carillon, shop, login="ann") == (0, {"capped": 1})

    await carillon.ops("POST", f"{path}/erase")

    async def is_gone(**name: str) -> bool:
        return await _found(carillon, shop, **name) is None

    for name in ({"login": "ann"}, {"visitor": ann["visitors"][0]}, {"person": ann["id"]}):
        await eventually(functools.partial(is_gone, **name), 30)
