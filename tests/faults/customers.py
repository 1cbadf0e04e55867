"""Customers: people of a round's shop who leave baskets, of which a scenario reminds them.

Each does one thing of what people do; what else a round's faults need of them is done by spare ones.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from shared.mongo.client import Database
from tests.faults.customer_runs import let_hour_pass, run_of, unless_away
from tests.faults.fault_cluster import FaultCluster
from tests.faults.plan import WINDOW_SECONDS
from tests.faults.shop import SECRET_MARK, Shop
from tests.faults.traffic import Clients, build_event
from tests.support.carillon import campaign
from tests.support.stack import eventually

SCENARIO, CAMPAIGN = "left-basket", "reminder"
FIRST, SECOND = "first", "second"
CHEAP, DEAR = 9.5, 60.0  # who left less than 50 gets the second step alone
ITEM = "i1"
# Early in the window: what follows takes up to four looks of the waker, five seconds apart.
ACTING_SECONDS = WINDOW_SECONDS / 2
ENTERED_SECONDS = 30.0
PASSED_SECONDS = 90.0  # services may be away as long as any client waits for them
CLOSED_SECONDS = 15.0  # else the second hour doesn't pass in this round


@dataclass
class Customer:
    """Person with a player. `hours` of her run have passed.

    `bought_in_time`: her order was accepted before the first of these passed.
    """

    number: int
    player: str
    visitor: str
    login: str
    price: float = DEAR
    hours: int = 0
    orders: set[str] = field(default_factory=set)
    bought_in_time: bool = False


class Customers:
    """Customers of one round; `all` of them, by what they do."""

    def __init__(self, world: FaultCluster, shop: Shop, clients: Clients) -> None:
        self._world = world
        self._shop = shop
        self._clients = clients
        self.all = [_customer(shop, number) for number in range(len(shop.customers))]
        behaviours = (
            self._is_reminded, self._left_little, self._buys, self._buys_elsewhere,
            self._buys_at_the_moment, self._logs_in_late,
        )  # fmt: skip
        self._acting = list(zip(behaviours, self.all, strict=False))
        self._acting[1][1].price = CHEAP
        self._late = self._acting[-1][1]
        self._spare = self.all[len(behaviours) :]

    async def enter(self) -> None:
        """Make the scenario; let all but the late one fill a basket; return once they have entered."""
        place = f"/v1/apps/{self._shop.app}"
        await self._world.ops("PUT", f"{place}/campaigns/{CAMPAIGN}", json=campaign())
        await self._world.ops("PUT", f"{place}/scenarios/{SCENARIO}", json=_scenario())
        async with self._world.mongo() as database:
            # It has always been on: what an hour that is let pass made due before counts too.
            await database["scenarios"].update_one({"app": self._shop.app}, {"$set": {"off": []}})
        early = [customer for customer in self.all if customer is not self._late]
        await asyncio.gather(*(self._fill_basket(customer, known=True) for customer in early))
        await self._identify(self._late, _second_browser(self._late))

        async def all_entered() -> bool:
            async with self._world.mongo() as database:
                return all([await run_of(database, self._shop, one) for one in early])

        await eventually(unless_away(all_entered), ENTERED_SECONDS, every=0.2)

    async def work(self) -> None:
        """Act as the customers do, at moments of the seed."""
        async with asyncio.TaskGroup() as tasks:
            for act, customer in self._acting:
                tasks.create_task(self._act(customer, act))

    def take(self) -> Customer:
        """Return a spare customer, who waits in the scenario and does nothing by herself."""
        return self._spare.pop()

    async def let_hour_pass(self, customer: Customer) -> None:
        """Let an hour pass in a customer's run; wait for the run, or for a time when nothing writes it."""
        async with self._world.mongo() as database:
            look = unless_away(lambda: let_hour_pass(database, self._shop, customer))
            await eventually(look, PASSED_SECONDS, every=0.2)
        customer.hours += 1

    async def buy(self, customer: Customer, *, elsewhere: bool = False) -> None:
        """Order what is in the basket, on a second browser of the login if `elsewhere`."""
        visitor = _second_browser(customer) if elsewhere else customer.visitor
        if elsewhere:
            await self._identify(customer, visitor)
        dice = self._dice(customer, "buys")
        order = f"g{dice.getrandbits(48):x}"
        items = [{"itemID": ITEM, "quantity": 1, "price": customer.price}]
        bought = build_event(dice, "purchase", visitor, {"id": order, "items": items})
        await self._clients.report([bought])
        customer.orders.add(order)
        self._clients.ledger.orders[visitor].add(order)

    async def _act(self, customer: Customer, act: Callable[[Customer], Awaitable[None]]) -> None:
        await asyncio.sleep(self._dice(customer, "waits").uniform(0, ACTING_SECONDS))
        await act(customer)

    async def _is_reminded(self, customer: Customer) -> None:
        """Let an hour pass, and another one after the first push, unless a fault keeps it back."""
        await self.let_hour_pass(customer)

        async def first_is_over() -> bool:
            async with self._world.mongo() as database:
                return await _is_over(database, await run_of(database, self._shop, customer))

        try:
            await eventually(unless_away(first_is_over), CLOSED_SECONDS, every=0.2)
        except AssertionError:
            return
        await self.let_hour_pass(customer)

    async def _left_little(self, customer: Customer) -> None:
        await self.let_hour_pass(customer)

    async def _buys(self, customer: Customer) -> None:
        await self.buy(customer)
        await self._wait_until_known(customer)
        await self.let_hour_pass(customer)

    async def _buys_elsewhere(self, customer: Customer) -> None:
        await self.buy(customer, elsewhere=True)
        await self._wait_until_known(customer)
        await self.let_hour_pass(customer)

    async def _buys_at_the_moment(self, customer: Customer) -> None:
        """Buy as the step falls due: whether she is pushed is open, but not twice."""
        await asyncio.gather(self.let_hour_pass(customer), self.buy(customer))

    async def _logs_in_late(self, customer: Customer) -> None:
        """Leave a basket unknown, and log in: another browser's person takes the run over."""
        await self._fill_basket(customer, known=False)
        await self._identify(customer, customer.visitor)
        await self.let_hour_pass(customer)

    async def _fill_basket(self, customer: Customer, *, known: bool) -> None:
        dice = self._dice(customer, "fills")
        subscribed = {"playerID": customer.player, "status": "subscribed"}
        added = {"itemID": ITEM, "quantity": 1, "price": customer.price}
        events: dict[str, dict[str, Any]] = {"oneSignal": subscribed}
        events |= {"identify": {"login": customer.login}} if known else {}
        events |= {"addToBasket": added}
        filled = [build_event(dice, kind, customer.visitor, data) for kind, data in events.items()]
        await self._clients.report(filled)
        await self._clients.report(filled)  # as a browser that lost the answer

    async def _identify(self, customer: Customer, visitor: str) -> None:
        dice = self._dice(customer, f"logs in as {visitor}")
        await self._clients.report(
            [build_event(dice, "identify", visitor, {"login": customer.login})]
        )

    async def _wait_until_known(self, customer: Customer) -> None:
        """Two minutes after an order the profile has it, or Carillon knows that it may lack one."""

        async def is_known() -> bool:
            async with self._world.mongo() as database:
                place = {"app": self._shop.app, "visitors": customer.visitor}
                profile = await database["profiles"].find_one(place) or {}
            return customer.orders <= {order["id"] for order in profile.get("purchases", ())}

        await eventually(unless_away(is_known), PASSED_SECONDS, every=0.2)
        customer.bought_in_time = True

    def _dice(self, customer: Customer, what: str) -> Random:
        return self._clients.dice(f"customer {customer.number} {what}")


def _customer(shop: Shop, number: int) -> Customer:
    visitor = f"{SECRET_MARK}-g{number}"
    return Customer(number, shop.customers[number], visitor, shop.login(f"customer-{number}"))


def _second_browser(customer: Customer) -> str:
    return f"{customer.visitor}-elsewhere"


def _scenario() -> dict[str, Any]:
    first = {"id": FIRST, "after": {"minutes": 60, "of": "entry"}, "campaign": CAMPAIGN}
    first |= {"only": {"basket": {"total": {"atLeast": 50}}}}
    first |= {"choose": {"from": "basket", "else": "without"}}
    second = {"id": SECOND, "after": {"minutes": 0}, "campaign": CAMPAIGN}
    body = {"name": "Left baskets", "enabled": True, "enter": {"on": "basket"}}
    return {**body, "steps": [first, second], "until": ["bought"]}


async def _is_over(database: Database, run: Any) -> bool:
    """Return whether the run's last push came to its end, and it waits for the next step."""
    if not run or not run["pushes"]:
        return False
    over = {"_id": run["pushes"][-1]["firing"], "closedAt": {"$ne": None}}
    return await database["sends"].find_one(over) is not None
