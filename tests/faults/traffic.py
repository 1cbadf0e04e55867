"""Clients' work while things break.

Each has dice of its own: what it does follows from the seed, in whatever order they act.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

import orjson

from shared.kafka.client import LogWriter
from shared.kafka.records import OutgoingRecord
from shared.kafka.topics import TRIGGERS_TOPIC
from tests.faults.client_ledger import ClientLedger
from tests.faults.fault_cluster import OPS_TOKEN, FaultCluster
from tests.faults.plan import WINDOW_SECONDS
from tests.faults.retrying_client import RetryingClient
from tests.faults.shop import Shop
from tests.support.stack import eventually

BATCHES = 60
ORDERS_A_BATCH = 4
LARGE, LARGE_ONES = 30_000, 10  # bytes, events in a request
KIOSKS, TURNS = 3, 4
SENDS = 6
NAMED = 3  # recipients of a transactional send
SOME = 6  # recipients of a send that a fault is to hit


class Clients:
    """Shoppers, newcomers, kiosks and whoever triggers sends, of one round's shop."""

    def __init__(self, world: FaultCluster, shop: Shop, writer: LogWriter, seed: str) -> None:
        self._world = world
        self._shop = shop
        self._seed = seed
        self.caller = RetryingClient(world, writer)
        self.ledger = ClientLedger()

    def dice(self, actor: str) -> Random:
        return Random(f"traffic:{self._seed}:{actor}")

    async def subscribe_first_half(self) -> None:
        """Subscribe the first half of the browsers; return when they are in the ledger."""
        await asyncio.gather(*(self._subscribe(number) for number in range(self.half)))

        async def all_known() -> bool:
            async with self._world.mongo() as database:
                known = await database["players"].count_documents({"app": self._shop.app})
            return bool(known == self.half)

        await eventually(all_known, 30, every=0.2)

    async def first_send(self) -> str:
        """Make the first send, which any client may ask about; return its id once it is known."""
        return await self._send(0)

    @property
    def half(self) -> int:
        return len(self._shop.players) // 2

    @property
    def audience(self) -> frozenset[str]:
        """The players that are in the ledger since before the faults."""
        return frozenset(self._shop.players[: self.half])

    async def work(self) -> None:
        """Make the traffic of a round, until each request had a 2xx."""
        async with asyncio.TaskGroup() as tasks:
            for number in range(self.half, len(self._shop.players)):
                self._later(tasks, f"newcomer {number}", partial(self._subscribe, number))
            for number in range(BATCHES):
                name = f"shopper {number}"
                self._later(tasks, name, partial(self.order, number, self.dice(name)))
            for number in range(KIOSKS):
                tasks.create_task(self._keep_kiosk(number))
            for number in range(1, SENDS):
                self._later(tasks, f"marketer {number}", partial(self._send, number))

    def _later(
        self, tasks: asyncio.TaskGroup, actor: str, work: Callable[[], Awaitable[Any]]
    ) -> None:
        async def wait_and_work() -> None:
            await asyncio.sleep(self.dice(f"{actor} waits").uniform(0, WINDOW_SECONDS))
            await work()

        tasks.create_task(wait_and_work())

    async def _subscribe(self, number: int) -> None:
        visitor, player = self._shop.visitor(number), self._shop.players[number]
        subscribed = {"playerID": player, "status": "subscribed"}
        person = {"login": self._shop.login(number), "email": self._shop.email(number)}
        events = {"oneSignal": subscribed, "identify": person}
        dice = self.dice(f"browser {number}")
        await self.report([build_event(dice, kind, visitor, data) for kind, data in events.items()])
        self.ledger.players[visitor] = player

    async def order(self, number: int, dice: Random, others: Sequence[dict[str, Any]] = ()) -> None:
        """Order by turns, evenly: a profile keeps a person's last 50 orders."""
        visitor = self._shop.visitor(number % self.half)
        orders = [f"o{dice.getrandbits(48):x}" for _ in range(ORDERS_A_BATCH)]
        items = [{"itemID": "i1", "quantity": 1, "price": 9.5}]
        bought = [build_event(dice, "purchase", visitor, {"id": o, "items": items}) for o in orders]
        await self.report(bought + [build_event(dice, "other", visitor, data) for data in others])
        self.ledger.orders[visitor].update(orders)

    async def order_much(self, number: int, dice: Random) -> None:
        """Order among events that are as large as events may be."""
        await self.order(number, dice, [{"pad": "x" * LARGE}] * LARGE_ONES)

    async def _keep_kiosk(self, number: int) -> None:
        """Keep a shared browser busy: each visitor logs in, adds to the basket and logs out.

        It reports each turn twice, as a browser does that has lost the answer. What is applied twice, in
        part or in another order is seen: each login opens an epoch, each addition adds.
        """
        visitor, dice = self._shop.kiosk(number), self.dice(f"kiosk {number}")
        for _ in range(TURNS):
            await asyncio.sleep(dice.uniform(0, WINDOW_SECONDS / TURNS))
            added = {"itemID": "i1", "quantity": 1, "price": 9.5}
            person = {"login": self._shop.login(visitor)}
            events: dict[str, dict[str, Any]]
            events = {"identify": person, "addToBasket": added, "logout": {}}
            turn = [build_event(dice, kind, visitor, data) for kind, data in events.items()]
            await self.report(turn)
            await self.report(turn)
            self.ledger.turns[visitor] += 1

    async def report(self, events: list[dict[str, Any]]) -> None:
        """Report events until they are accepted."""
        url = f"http://{self._world.ingest.address}/v1/events"
        headers = {"X-Write-Key": self._shop.write_key}
        answer = await self.caller.post(url, orjson.dumps(events), headers)
        if answer.json() != {"accepted": len(events), "rejected": []}:
            self.caller.strange.append(f"{url}: {answer.text}")
        self.ledger.events |= {event["id"] for event in events}

    async def _send(self, number: int) -> str:
        """Send by turns to all over HTTP, to some named ones in haste, to all by the log."""
        dice = self.dice(f"send {number}")
        players = sorted(self.audience)
        haste = number % 3 == 1
        if haste:
            players = dice.sample(players, NAMED)
        trigger = self._trigger(dice, players, "transactional" if haste else "marketing")
        if number % 3 == 2:
            await self._publish(trigger)
        else:
            url = f"http://{self._world.sender.address}/v1/sends"
            headers = {"Authorization": f"Bearer {OPS_TOKEN}"}
            await self.caller.post(url, orjson.dumps(trigger), headers)
        self.ledger.sends[trigger["id"]] = frozenset(players)
        return str(trigger["id"])

    async def send_some(self, dice: Random, *, transactional: bool) -> str:
        """Send to some of the first half, by the log, so that a fault at this moment hits something."""
        some = dice.sample(sorted(self.audience), SOME)
        trigger = self._trigger(dice, some, "transactional" if transactional else "marketing")
        await self._publish(trigger)
        self.ledger.sends[trigger["id"]] = frozenset(some)
        return str(trigger["id"])

    def _trigger(self, dice: Random, players: list[str], priority: str) -> dict[str, Any]:
        named = {"id": _uuid(dice), "app": self._shop.app, "campaign": "hello"}
        return {**named, "priority": priority, "audience": {"players": players}}

    async def _publish(self, trigger: dict[str, Any]) -> None:
        record = OutgoingRecord(
            TRIGGERS_TOPIC.name, trigger["id"], orjson.dumps(trigger), "trigger"
        )
        await self.caller.publish(record)


def build_event(dice: Random, kind: str, visitor: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"id": _uuid(dice), "type": kind, "visitorId": visitor, "data": data}


def _uuid(dice: Random) -> str:
    return str(UUID(int=dice.getrandbits(128), version=4))
