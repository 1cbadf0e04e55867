"""Killed at the worst moments, and still exactly one push each."""

from __future__ import annotations

import os
import signal

import httpx
import pytest

from tests.support.carillon import Carillon, Shop
from tests.support.stack import eventually

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]


async def each_once(carillon: Carillon, shop: Shop, send: str, players: list[str]) -> None:
    account = await carillon.closed(send, timeout=150)
    assert (account["sent"], account["audience"]) == (len(players), len(players))
    pushes = (await carillon.tally(shop))["pushes"]
    assert sorted(p["player_id"] for p in pushes) == sorted(players)
    assert {p["deliveries"] for p in pushes} == {1}


async def test_sender_killed_between_trigger_and_push(carillon: Carillon, shop: Shop) -> None:
    players = await carillon.register(shop, 3)
    send = await carillon.trigger(shop, audience={"all": True})
    os.kill(carillon.pid("sender_service"), signal.SIGKILL)
    await each_once(carillon, shop, send, players)


async def test_sender_killed_while_onesignal_holds_its_answer(
    carillon: Carillon, shop: Shop
) -> None:
    # The push is out, the answer never came: the repeat is a replay of the same key.
    players = await carillon.register(shop, 3)
    await carillon.sandbox("PUT", "/sandbox/faults", json={"hold": True})
    try:
        send = await carillon.trigger(shop, audience={"all": True})

        async def pushed() -> bool:
            tally = await carillon.sandbox("GET", f"/sandbox/tally?app_id={shop.one_signal}")
            return len(tally["pushes"]) == len(players)

        await eventually(pushed, 60)
        os.kill(carillon.pid("sender_service"), signal.SIGKILL)
    finally:
        await carillon.sandbox("PUT", "/sandbox/faults", json={})
    await each_once(carillon, shop, send, players)


async def test_ingest_killed_loses_no_accepted_event(carillon: Carillon, shop: Shop) -> None:
    await carillon.register(shop, 1)
    events = [
        {"type": "addToBasket", "visitorId": "v0", "data": {"itemID": f"i{n}"}} for n in range(20)
    ]
    await carillon.collect(shop, events)
    os.kill(carillon.pid("ingest_service"), signal.SIGKILL)

    async def alive() -> bool:
        try:
            return "affinityToOneSignalPlayerID" in (await carillon.profile(shop, "v0"))["db"]
        except (httpx.HTTPError, KeyError):
            return False

    await eventually(alive, 30)
    players = await carillon.register(shop, 2)
    account = await carillon.closed(await carillon.trigger(shop, audience={"players": players}))
    assert account["sent"] == 2
