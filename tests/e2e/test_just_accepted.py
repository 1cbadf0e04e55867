"""A push to somebody whose browser was reported a moment ago."""

from __future__ import annotations

import uuid

import pytest

from tests.support.carillon import Carillon

pytestmark = pytest.mark.stack


@pytest.mark.parametrize("priority", ["transactional", "marketing"])
async def test_d3_a_push_follows_its_event_at_once(carillon: Carillon, priority: str) -> None:
    shop = await carillon.open_shop()
    await carillon.register(shop, 1)  # ingest knows the shop
    body = {"app_id": shop.one_signal, "count": 8}
    players = (await carillon.sandbox("POST", "/sandbox/browsers", json=body))["ids"]
    sends = []
    for n, player in enumerate(players):
        data = {"playerID": player, "status": "subscribed"}
        event = {"id": str(uuid.uuid4()), "type": "oneSignal", "visitorId": f"new{n}", "data": data}
        assert (await carillon.collect(shop, [event]))["accepted"] == 1
        sends.append(
            await carillon.trigger(shop, recipients=[{"visitor": f"new{n}"}], priority=priority)
        )
    for send in sends:
        account = await carillon.closed(send)
        assert (account["sent"], account["people"].get("no_player", 0)) == (1, 0), account


async def test_d3_a_name_of_nobody_ends_all_the_same(carillon: Carillon) -> None:
    shop = await carillon.open_shop()
    for priority in ("transactional", "marketing"):
        send = await carillon.trigger(shop, recipients=[{"login": "nobody"}], priority=priority)
        account = await carillon.closed(send, 15)
        assert account["people"]["no_player"] == 1
