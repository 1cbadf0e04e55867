"""Faults of processes: killed, stopped, frozen, and brought back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from random import Random

from ingest_service.durable.circuit_breaker import PAUSE_FILE
from tests.faults.fault_cluster import SERVICES, FaultCluster
from tests.faults.plan import Fault
from tests.faults.traffic import Clients
from tests.support.disk import fill
from tests.support.stack import Server, eventually

UNDER_WAY_SECONDS = 0.8  # seen: from trigger to account below a second
STORM = 4  # replicas that come and go
LARGE_BATCHES = 8  # together more than twice the spool
FULL_SECONDS = 20.0
SHOPPERS = 3
# How they end isn't ours: a JVM says 143, and the embedded database, after it was frozen, doesn't
# always come to an end: it is killed then, 15 s after it was asked.
FOREIGN = ("broker", "database")


@asynccontextmanager
async def away(world: FaultCluster, name: str) -> AsyncIterator[Server]:
    """Take a process's guard; start the process again after the body, which ends it."""
    async with world.guards[world.servers[name]], gone(world, name) as server:
        yield server


@asynccontextmanager
async def gone(world: FaultCluster, name: str) -> AsyncIterator[Server]:
    """Start a process again after the body, which ends it. The caller has its guard."""
    world.up.pop(name, None)
    server = world.servers[name]
    yield server
    if name in SERVICES:
        await world.start_service(name)
    else:
        await asyncio.to_thread(server.start)


@asynccontextmanager
async def suspended(world: FaultCluster, name: str) -> AsyncIterator[None]:
    """Suspend a process: it exists, and answers nobody. The caller has its guard."""
    server = world.servers[name]
    world.suspended.add(server)
    server.freeze()
    try:
        yield
    finally:
        server.thaw()
        world.suspended.discard(server)


class Processes:
    def __init__(self, world: FaultCluster, clients: Clients) -> None:
        self._world = world
        self._clients = clients

    async def kill(self, name: str, fault: Fault) -> int:
        async with self._world.guards[self._world.servers[name]]:
            return await self.kill_guarded(name, fault)

    async def kill_guarded(self, name: str, fault: Fault) -> int:
        """Kill a process whose guard the caller has."""
        async with gone(self._world, name) as server:
            if name == "sender":  # while a send is somewhere between its trigger and its account
                dice = self._clients.dice(str(fault))
                await self._clients.send_some(dice, transactional=fault.random_share < 0.5)
                await asyncio.sleep(fault.random_share * UNDER_WAY_SECONDS)
            assert server.returncode is None, f"{name} had ended by itself: {server.returncode}"
            await asyncio.to_thread(server.kill)
            await asyncio.sleep(fault.lasts)
        return 1

    async def stop(self, name: str, fault: Fault) -> int:
        async with away(self._world, name) as server:
            code = await asyncio.to_thread(server.stop)
            assert code == 0 or name in FOREIGN, f"{name} ended with {code} on SIGTERM"
            await asyncio.sleep(fault.lasts)
        return 1

    async def freeze(self, name: str, fault: Fault) -> int:
        async with self._world.guards[self._world.servers[name]], suspended(self._world, name):
            await asyncio.sleep(fault.lasts)
        return 1

    async def fill_spool(self, fault: Fault) -> int:
        """Hang the broker, and send so much meanwhile that some of it has to be refused."""
        world, refused = self._world, self._clients.caller.refused
        before, dice = refused["spool_full"], self._clients.dice(str(fault))
        async with (
            world.guards[world.broker],
            world.guards[world.ingest],
            asyncio.TaskGroup() as tasks,
            suspended(world, "broker"),
        ):
            for number in range(LARGE_BATCHES):
                own = Random(dice.random())
                tasks.create_task(self._clients.order_much(number, own))
            await eventually(lambda: refused["spool_full"] > before, FULL_SECONDS)
            await asyncio.sleep(fault.lasts)
        return refused["spool_full"] - before

    async def fill_disk(self, fault: Fault) -> int:
        """Fill the disk while the log is paused: some orders are spooled, others are refused.

        Once the log goes on, the spool is drained on a disk that stays full.
        """
        world, refused = self._world, self._clients.caller.refused
        before, dice = refused["spool_failed"], self._clients.dice(str(fault))
        reserve = world.settings.data_dir / PAUSE_FILE
        async with (
            world.guards[world.broker],
            world.guards[world.ingest],
            asyncio.TaskGroup() as tasks,
        ):
            with ExitStack() as ending:
                ending.callback(reserve.unlink, missing_ok=True)
                reserve.touch()
                for number in range(SHOPPERS):
                    tasks.create_task(self._clients.order(number, Random(dice.random())))
                await eventually(self._spools, FULL_SECONDS, every=0.1)
                ending.callback(fill(world.spool_folder).unlink)
                for number in range(LARGE_BATCHES):
                    tasks.create_task(self._clients.order_much(number, Random(dice.random())))
                await eventually(lambda: refused["spool_failed"] > before, FULL_SECONDS)
                await asyncio.sleep(fault.lasts)
                reserve.unlink()
                await eventually(self._is_drained, FULL_SECONDS, every=0.1)
        return refused["spool_failed"] - before

    async def _is_drained(self) -> bool:
        return await self._world.measured("ingest", "carillon_spool_records") == 0

    async def kill_spooling(self, fault: Fault) -> int:
        """Kill ingest while the broker is gone and orders are in the spool.

        The next process drains what only the disk has.
        """
        world, dice = self._world, self._clients.dice(str(fault))
        async with (
            world.guards[world.broker],
            world.guards[world.ingest],
            asyncio.TaskGroup() as shoppers,
        ):
            await asyncio.to_thread(world.broker.kill)
            for number in range(SHOPPERS):
                shoppers.create_task(self._clients.order(number, Random(dice.random())))
            await eventually(self._spools, FULL_SECONDS, every=0.1)
            world.up.pop("ingest", None)
            await asyncio.to_thread(world.ingest.kill)
            await world.start_service("ingest")
            await asyncio.sleep(fault.lasts)
            await asyncio.to_thread(world.broker.start)
        return 1

    async def _spools(self) -> bool:
        return bool(await self._world.measured("ingest", "carillon_spool_records"))

    async def storm(self, fault: Fault) -> int:
        """Members come and go, so that every group is shared out anew again and again."""
        dice = Random(fault.random_share)
        async with self._world.replica_guard:
            await self._come_and_go(dice)
        return STORM

    async def _come_and_go(self, dice: Random) -> None:
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
