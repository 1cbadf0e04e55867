"""What carries out a plan: each kind of fault as a function of the world."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from random import Random
from typing import Any

from shared.kafka import LogWriter
from tests.faults.plan import Fault, Round
from tests.faults.poison import plant
from tests.faults.shop import Shop
from tests.faults.traffic import Clients
from tests.faults.world import SERVICES, World
from tests.stack import Server, eventually

HIT_SECONDS = 6.0  # how long a fault of OneSignal waits for a call that it hits
UNDER_WAY_SECONDS = 0.8  # seen: from trigger to account below a second
STORM = 4  # replicas that come and go
CLOCKS_APART = 90  # seconds
LARGE_BATCHES = 8  # together more than twice the spool
FULL_SECONDS = 20.0
DICE = {
    "storm_429": {"429": 1.0},
    "errors_5xx": {"500": 0.4, "503_html": 0.3, "empty": 0.3},
    "hang": {"hang": 1.0},
    "accepted_then_timeout": {"accepted_then_timeout": 1.0},
}


class Hands:
    """One round's; `planted` are the places of the poison."""

    def __init__(self, world: World, shop: Shop, writer: LogWriter, clients: Clients) -> None:
        self._world = world
        self._clients = clients
        self._shop = shop
        self._writer = writer
        self.planted = 0

    async def carry_out(self, plan: Round) -> None:
        async with asyncio.TaskGroup() as tasks:
            for fault in plan.faults:
                tasks.create_task(self._one(fault))

    async def _one(self, fault: Fault) -> None:
        await asyncio.sleep(fault.at)
        await self._deed(fault)

    def _deed(self, fault: Fault) -> Awaitable[None]:
        if fault.kind in DICE:
            return self._misbehave(fault, {"odds": DICE[fault.kind]})
        verb, _, name = fault.kind.partition("_")
        if name in self._world.servers:
            deeds = {"kill": self._kill, "stop": self._stop, "freeze": self._freeze}
            return deeds[verb](name, fault)
        special: dict[str, Callable[[Fault], Awaitable[None]]] = {
            "hold_and_kill_sender": self._hold_and_kill,
            "webhooks_lost_and_doubled": partial(
                self._misbehave, plan={"webhooks": {"drop": 0.3, "duplicate": 0.4}}
            ),
            "full_spool": self._fill_spool,
            "rebalance_storm": self._storm,
            "clocks_differ": self._clocks_differ,
            "poison": self._poison,
        }
        return special[fault.kind](fault)

    async def _kill(self, name: str, fault: Fault) -> None:
        async with self._away(name) as server:
            if name == "sender":  # while a send is somewhere between its trigger and its account
                await self._hit(fault)
                await asyncio.sleep(fault.roll * UNDER_WAY_SECONDS)
            await asyncio.to_thread(server.kill)
            await asyncio.sleep(fault.lasts)

    async def _stop(self, name: str, fault: Fault) -> None:
        async with self._away(name) as server:
            code = await asyncio.to_thread(server.stop)
            assert code == 0 or name == "broker", f"{name} ended with {code} on SIGTERM"
            await asyncio.sleep(fault.lasts)

    @asynccontextmanager
    async def _away(self, name: str) -> AsyncIterator[Server]:
        """Nobody else's meanwhile, not expected to answer, and started again."""
        server = self._world.servers[name]
        async with self._world.guards[server]:
            self._world.up.pop(name, None)
            yield server
            if name in SERVICES:
                await self._world.start_service(name)
            else:
                await asyncio.to_thread(server.start)

    async def _freeze(self, name: str, fault: Fault) -> None:
        server = self._world.servers[name]
        async with self._world.guards[server]:
            self._world.frozen.add(server)
            server.freeze()
            await asyncio.sleep(fault.lasts)
            server.thaw()
            self._world.frozen.discard(server)

    async def _fill_spool(self, fault: Fault) -> None:
        """The broker hangs, and so much comes in meanwhile that some of it has to be refused."""
        guards, broker = self._world.guards, self._world.broker
        async with guards[broker], guards[self._world.ingest], asyncio.TaskGroup() as tasks:
            self._world.frozen.add(broker)
            broker.freeze()
            for _ in range(LARGE_BATCHES):
                tasks.create_task(self._clients.order_much())
            await eventually(lambda: self._clients.refused["spool_full"], FULL_SECONDS)
            await asyncio.sleep(fault.lasts)
            broker.thaw()
            self._world.frozen.discard(broker)

    async def _misbehave(self, fault: Fault, plan: dict[str, Any]) -> None:
        seed = int(fault.roll * 1_000_000)
        async with self._world.plan_guard:
            await self._world.misbehave({"seed": seed, "retry_after": 1, **plan})
            before = await self._count("calls")
            await self._hit(fault)
            await asyncio.sleep(fault.lasts)
            await self._until_more("calls", before)
            await self._world.misbehave({})

    async def _hold_and_kill(self, fault: Fault) -> None:
        """The worst moment: the push is out, the answer is not in."""
        async with self._world.plan_guard:
            await self._world.misbehave({"hold": True})
            before = await self._count("notifications")
            await self._hit(fault)
            await self._until_more("notifications", before)
            await self._kill("sender", fault)
            await self._world.misbehave({})

    async def _hit(self, fault: Fault) -> None:
        await self._clients.send_some(transactional=fault.roll < 0.5)

    async def _count(self, what: str) -> int:
        path = f"/sandbox/tally?app_id={self._shop.one_signal}&summary=1"
        return int((await self._world.onesignal("GET", path))[what])

    async def _until_more(self, what: str, before: int) -> None:
        """Unless another fault keeps the sender from it."""
        with suppress(AssertionError):
            await eventually(lambda: self._is_more(what, before), HIT_SECONDS, every=0.05)

    async def _is_more(self, what: str, before: int) -> bool:
        return await self._count(what) > before

    async def _storm(self, fault: Fault) -> None:
        """Members come and go, so that every group is shared out anew again and again."""
        dice = Random(fault.roll)
        roles = ("intake,planner,scheduler", "dispatcher,accounting", "dispatcher,scheduler")
        running: list[Server] = []
        for _ in range(STORM):
            replica = (
                self._world.replica("ingest_service", "--only", "projector")
                if dice.random() < 0.3
                else self._world.replica("sender_service", "--only", dice.choice(roles))
            )
            await asyncio.to_thread(replica.start)
            running.append(replica)
            await asyncio.sleep(dice.uniform(0.3, 1.5))
            victim = running.pop(dice.randrange(len(running)))
            await asyncio.to_thread(dice.choice((victim.kill, victim.stop)))
        for replica in running:
            await asyncio.to_thread(replica.kill)

    async def _clocks_differ(self, fault: Fault) -> None:
        """A second sender whose clock is wrong by more than any lease or sweep."""
        offset = CLOCKS_APART if fault.roll < 0.5 else -CLOCKS_APART
        replica = self._world.replica("sender_service", clock_offset=offset)
        await asyncio.to_thread(replica.start)
        await asyncio.sleep(fault.lasts + 2)
        await asyncio.to_thread(replica.stop)

    async def _poison(self, fault: Fault) -> None:
        self.planted += await plant(self._writer, int(fault.roll * 1_000_000))
