"""Thief who knows a customer's login and player id, against the whole stack (A6, B5)."""

from __future__ import annotations

import functools
import uuid
from typing import Any

import pytest

from tests.support.carillon import LOGIN_SECRET, Carillon, Shop, campaign, prove
from tests.support.stack import eventually

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]
ITEM = "pregnancy-test"
LOGIN = "victim@example.test"


def event(kind: str, visitor: str, **data: Any) -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "type": kind, "visitorId": visitor, "data": data}


def claim(visitor: str, player: str, status: str = "subscribed") -> list[dict[str, Any]]:
    """Return events of a thief's browser: the customer's login without a proof, and a player."""
    identity = event("identify", visitor, login=LOGIN, email="thief@example.test")
    return [identity, event("oneSignal", visitor, playerID=player, status=status)]


async def find(carillon: Carillon, shop: Shop, **name: str) -> Any:
    found = await carillon.ops("POST", "/v1/people/search", json={"app": shop.app, **name})
    return found["items"]


async def pushed(carillon: Carillon, shop: Shop, **targets: Any) -> tuple[Any, list[str]]:
    """Return the account of a transactional send, and the players that got it."""
    before = len((await carillon.tally(shop))["pushes"])
    send = await carillon.trigger(shop, priority="transactional", **targets)
    account = await carillon.closed(send)
    pushes = (await carillon.tally(shop))["pushes"][before:]
    return account, [push["player_id"] for push in pushes]


async def known(carillon: Carillon, shop: Shop, visitor: str, player: str) -> bool:
    """Check whether the browser's profile has the player: then the claim is projected."""
    db = (await carillon.profile(shop, visitor)).get("db", {})
    return player in db.get("affinityToOneSignalPlayerID", [])


async def her_basket(carillon: Carillon, shop: Shop) -> bool:
    found = await find(carillon, shop, login=LOGIN)
    if not found:
        return False
    export = await carillon.ops("GET", f"/v1/people/{found[0]['id']}/export")
    lines = export["profile"]["basket"]["items"]
    return [line["item"] for line in lines] == [ITEM] and bool(export["profile"]["purchases"])


@pytest.mark.parametrize("required", [True, False], ids=["required", "optional"])
async def test_a6_b5_a_login_that_is_only_claimed_gets_nothing_of_hers(
    carillon: Carillon, required: bool
) -> None:
    shop = await carillon.open_shop(loginHash={"required": required, "secret": LOGIN_SECRET})
    text = "{{ profile.basket['items'][0].item if profile.basket else 'nothing' }}"
    personal = campaign(text)
    await carillon.ops("PUT", f"/v1/apps/{shop.app}/campaigns/hello", json=personal)
    hers, thiefs = await carillon.register(shop, 2)
    identity = event("identify", "v0", login=LOGIN, email=LOGIN, loginHash=prove(LOGIN))
    order = event("purchase", "v0", id="order-1", items=[])
    basket = event("addToBasket", "v0", itemID=ITEM, quantity=2)
    for one in (identity, order, basket):
        await carillon.collect(shop, [one])
    await eventually(lambda: her_basket(carillon, shop), 30)

    response = await carillon.collect(shop, claim("v1", thiefs))
    codes = [warning["code"] for warning in response.get("warnings", [])]
    assert codes == (["login_unproven"] if required else [])
    invented = {f"x{n}": str(uuid.uuid4()) for n in range(101)} | {"v1": thiefs}
    for visitor, player in invented.items():
        await carillon.collect(shop, claim(visitor, player))
    await carillon.collect(shop, claim("v2", hers, "optedOut"))
    for visitor, player in {**invented, "v2": hers}.items():
        await eventually(functools.partial(known, carillon, shop, visitor, player), 30)

    (person,) = await find(carillon, shop, visitor="v0")
    assert (person["login"], person["email"]) == (LOGIN, LOGIN)
    states = {player["id"]: player["state"] for player in person["players"]}
    assert states[hers] == "subscribed"
    assert (await find(carillon, shop, player=hers))[0]["id"] == person["id"]

    for targets in (
        {"audience": {"logins": [LOGIN]}},
        {"audience": {"players": [hers]}},
        {"audience": {"visitors": ["v0"]}},
    ):
        account, reached = await pushed(carillon, shop, **targets)
        assert reached == [hers], (targets, account)
    account, reached = await pushed(carillon, shop, audience={"players": [thiefs]})
    if not required:  # his is hers to the profile: it gets nothing that reads it
        assert (account["sent"], reached) == (0, [])
