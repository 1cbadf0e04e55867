"""A day of a shop: events published over HTTP, and the projections that they become."""

from __future__ import annotations

from typing import Any

from shared.mongo.client import Database
from tests.support import stack
from tests.support.ingest_process import EVENTS, one_signal

PLAYERS = [f"{n}1111111-1111-4111-8111-111111111111" for n in range(6)]
LEFT_OUT = {"rev", "changedAt"}


async def contents(database: Database) -> dict[str, dict[str, Any]]:
    found = {}
    for name in ("visitors", "players", "profiles", "merges"):
        documents = [d async for d in database[name].find({})]
        found[name] = {
            d["_id"]: {k: v for k, v in d.items() if k not in LEFT_OUT} for d in documents
        }
    return found


async def publish_events(client: Any, *events: dict[str, Any]) -> None:
    answer = await client.post(EVENTS, json=list(events))
    assert answer.status_code == 202, answer.text


def _order(number: int) -> dict[str, Any]:
    return {"id": f"o{number}", "revenue": 9.0}


async def publish_shop_day(client: Any, first: int) -> None:
    """Publish a day of two browsers: a login, a logout, views, baskets, a thank-you page read twice."""
    for n in (first, first + 1):
        visitor = f"v{n}"
        await publish_events(
            client,
            one_signal(visitor, PLAYERS[n]),
            {"type": "pageview", "visitorId": visitor, "data": {"itemID": f"i{n}"}},
            {"type": "identify", "visitorId": visitor, "data": {"login": "eva"}},
            {
                "type": "pageview",
                "visitorId": visitor,
                "data": {"basketItems": {"shoe": {"quantity": 1}}},
            },
            {
                "type": "purchase",
                "visitorId": visitor,
                "data": {"id": f"o{n}", "items": {"shoe": {"quantity": 1}}},
            },
            {"type": "addToBasket", "visitorId": visitor, "data": {"itemID": "hat"}},
            {"type": "pageview", "visitorId": visitor, "data": {"transaction": _order(n)}},
        )
    await publish_events(client, {"type": "logout", "visitorId": f"v{first}"})
    await publish_events(
        client, {"type": "pageview", "visitorId": f"last{first}", "data": {"itemID": "x"}}
    )


async def until_projected(database: Database, count: int) -> None:
    async def is_projected() -> bool:
        found = await database["profiles"].find_one({"visitors": f"v{count - 1}"})
        last = await database["profiles"].find_one({"visitors": f"last{count - 2}"})
        nobody = await database["profiles"].find_one({"visitors": f"v{count - 2}", "login": None})
        if not (found and last and nobody):
            return False
        # A bulk of writes is seen one by one.
        orders = [order["revenue"] for order in found["purchases"]]
        has_basket = bool(found["basket"]["items"]) and orders == [9.0] * count
        return has_basket and f"v{count - 2}" in found["pastVisitors"]

    await stack.eventually(is_projected, 20)
