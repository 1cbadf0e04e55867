"""What clients do while things break, and what they were told: the first of the three tallies."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

import httpx
import orjson

from shared.errors import LogUnavailable
from shared.kafka import LogWriter, Outgoing
from shared.topics import TRIGGERS
from tests.faults.plan import WINDOW_SECONDS
from tests.faults.shop import Shop
from tests.faults.world import OPS_TOKEN, World
from tests.stack import eventually

GIVE_UP_SECONDS = 90.0  # a client comes again with the same ids for so long
PAUSE_SECONDS = 0.2
BATCHES = 60
ORDERS_A_BATCH = 4
LARGE, LARGE_ONES = 30_000, 10  # bytes, events in a request
SENDS = 6
NAMED = 3  # recipients of a transactional send
SOME = 6  # recipients of a send that a fault is to hit


@dataclass
class Told:
    """What was answered with a 2xx, or acknowledged by the log."""

    orders: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  # by visitor
    players: dict[str, str] = field(default_factory=dict)  # visitor → player
    sends: dict[str, frozenset[str]] = field(default_factory=dict)  # send → players it is for


class Clients:
    """Shoppers, newcomers and whoever triggers sends, of one round's shop."""

    def __init__(self, world: World, shop: Shop, writer: LogWriter, seed: str) -> None:
        self._world = world
        self._shop = shop
        self._writer = writer
        self._dice = Random(f"traffic:{seed}")
        self.told = Told()
        self.refused: Counter[str] = Counter()  # honest 503s, by their code
        self.strange: list[str] = []  # answers that are neither a 2xx nor an honest 503

    async def settle_in(self) -> None:
        """Before the faults: the first half of the browsers subscribe and are in the ledger."""
        half = len(self._shop.players) // 2
        await asyncio.gather(*(self._subscribe(number) for number in range(half)))

        async def all_known() -> bool:
            async with self._world.mongo() as database:
                known = await database["players"].count_documents({"app": self._shop.app})
            return bool(known == half)

        await eventually(all_known, 30, every=0.2)

    async def first_send(self) -> str:
        """One that everybody may ask about; returns when it is known."""
        await self._send(0, self.audience)
        (send,) = self.told.sends
        return send

    @property
    def audience(self) -> frozenset[str]:
        """The players that are in the ledger since before the faults."""
        half = len(self._shop.players) // 2
        return frozenset(self._shop.players[:half])

    async def work(self) -> None:
        """The traffic of a round; returns when everybody has had a 2xx."""
        half = len(self._shop.players) // 2
        audience = self.audience
        async with asyncio.TaskGroup() as tasks:
            for number in range(half, len(self._shop.players)):
                tasks.create_task(self._later(partial(self._subscribe, number)))
            for number in range(BATCHES):  # evenly: a profile keeps a person's last 50 orders
                tasks.create_task(self._later(partial(self._order, number % half)))
            for number in range(1, SENDS):
                tasks.create_task(self._later(partial(self._send, number, audience)))

    async def _later(self, work: Callable[[], Awaitable[None]]) -> None:
        await asyncio.sleep(self._dice.uniform(0, WINDOW_SECONDS))
        await work()

    async def _subscribe(self, number: int) -> None:
        visitor, player = self._shop.visitor(number), self._shop.players[number]
        subscribed = {"playerID": player, "status": "subscribed"}
        person = {"login": self._shop.login(number), "email": self._shop.email(number)}
        events = [
            self._event("oneSignal", visitor, subscribed),
            self._event("identify", visitor, person),
        ]
        await self._report(events)
        self.told.players[visitor] = player

    async def order_much(self) -> None:
        """An order among events that are as large as events may be."""
        number = self._dice.randrange(len(self._shop.players) // 2)
        await self._order(number, [{"pad": "x" * LARGE}] * LARGE_ONES)

    async def _order(self, number: int, others: Sequence[dict[str, Any]] = ()) -> None:
        visitor = self._shop.visitor(number)
        orders = [f"o{self._dice.getrandbits(48):x}" for _ in range(ORDERS_A_BATCH)]
        items = [{"itemID": "i1", "quantity": 1, "price": 9.5}]
        await self._report(
            [self._event("purchase", visitor, {"id": order, "items": items}) for order in orders]
            + [self._event("other", visitor, data) for data in others]
        )
        self.told.orders[visitor].update(orders)

    async def _report(self, events: list[dict[str, Any]]) -> None:
        url = f"http://{self._world.ingest.address}/v1/events"
        answer = await self._until_told(
            url, orjson.dumps(events), {"X-Write-Key": self._shop.write_key}
        )
        if answer.json() != {"accepted": len(events), "rejected": []}:
            self.strange.append(f"{url}: {answer.text}")

    async def _send(self, number: int, audience: frozenset[str]) -> None:
        """By turns to everybody over HTTP, to some named ones in haste, to everybody by the log."""
        trigger: dict[str, Any] = {"id": self._uuid(), "app": self._shop.app, "campaign": "hello"}
        trigger["audience"] = {"players": sorted(audience)}
        if number % 3 == 1:
            some = self._dice.sample(sorted(audience), NAMED)
            trigger |= {"priority": "transactional", "audience": {"players": some}}
        body = orjson.dumps(trigger)
        if number % 3 == 2:
            await self._publish(trigger["id"], body)
        else:
            url = f"http://{self._world.sender.address}/v1/sends"
            await self._until_told(url, body, {"Authorization": f"Bearer {OPS_TOKEN}"})
        self.told.sends[trigger["id"]] = frozenset(trigger["audience"]["players"])

    async def send_some(self, *, transactional: bool) -> None:
        """To some of the first half, by the log: so that a fault at this moment hits something."""
        some = self._dice.sample(sorted(self.audience), SOME)
        trigger = {"id": self._uuid(), "app": self._shop.app, "campaign": "hello"}
        trigger["priority"] = "transactional" if transactional else "marketing"
        body = orjson.dumps({**trigger, "audience": {"players": some}})
        await self._publish(trigger["id"], body)
        self.told.sends[trigger["id"]] = frozenset(some)

    async def _publish(self, key: str, body: bytes) -> None:
        deadline = time.monotonic() + GIVE_UP_SECONDS
        while True:
            try:
                return await self._writer.publish([Outgoing(TRIGGERS.name, key, body, "trigger")])
            except LogUnavailable:
                assert time.monotonic() < deadline, "the log never came back"
                await asyncio.sleep(PAUSE_SECONDS)

    async def _until_told(self, url: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        """The same request again, as clients do, until it is taken."""
        headers = {"Content-Type": "application/json", **headers}
        deadline = time.monotonic() + GIVE_UP_SECONDS
        last = "nothing"
        while time.monotonic() < deadline:
            try:
                answer = await self._world.http.post(url, content=body, headers=headers)
            except httpx.TransportError as exc:
                last = type(exc).__name__
            else:
                if answer.is_success:
                    return answer
                last = f"{answer.status_code} {answer.text}"
                self._judge(url, answer)
            await asyncio.sleep(PAUSE_SECONDS)
        raise AssertionError(f"{url} took nothing for {GIVE_UP_SECONDS:g} s; the last: {last}")

    def _judge(self, url: str, answer: httpx.Response) -> None:
        """A key may be unknown for 5 s after its app was made; else only 503, saying when."""
        honest = answer.status_code == 503 and int(answer.headers.get("Retry-After", 0)) > 0
        if honest:
            self.refused[answer.json()["code"]] += 1
        elif answer.status_code != 401:
            self.strange.append(f"{url}: {answer.status_code} {answer.text}")

    def _event(self, kind: str, visitor: str, data: dict[str, Any]) -> dict[str, Any]:
        return {"id": self._uuid(), "type": kind, "visitorId": visitor, "data": data}

    def _uuid(self) -> str:
        return str(UUID(int=self._dice.getrandbits(128), version=4))
