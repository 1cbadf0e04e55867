"""A stage dies between what it read from the log and what it writes: who commits first, loses it.

The database is frozen, so that the stage reads a batch and hangs in its work; then its process is
killed, and the database thaws. Work that is committed last is done again by whoever comes next.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random

from tests.faults.fault_cluster import FaultCluster
from tests.faults.hits import AIM_SECONDS, HIT_SECONDS
from tests.faults.plan import Fault
from tests.faults.processes import suspended
from tests.faults.traffic import Clients
from tests.faults.webhook_proxy import WebhookProxy
from tests.support.stack import eventually

SHOPPERS = 3
HANGS_SECONDS = 4.0
LOOK_SECONDS = 0.2
YOUNG_SECONDS = 0.2
ROUNDING_SECONDS = 0.002  # the log's times are milliseconds
LOOKS = 3  # in a row that find the same work older


class MidBatch:
    def __init__(self, world: FaultCluster, clients: Clients, webhook_proxy: WebhookProxy) -> None:
        self._world = world
        self._clients = clients
        self._webhook_proxy = webhook_proxy

    async def ingest(self, fault: Fault) -> int:
        """Kill while the projector has accepted orders in its hands.

        No webhooks meanwhile: what it makes of those can be lost and nobody would know.
        """
        dice, numbers = self._clients.dice(str(fault)), iter(range(1_000))

        async def pause() -> bool:
            self._webhook_proxy.pause()
            return True

        async with asyncio.TaskGroup() as shoppers:

            async def order() -> None:
                for number, _ in zip(numbers, range(SHOPPERS), strict=False):
                    shoppers.create_task(self._clients.order(number, Random(dice.random())))

            try:
                return await self._kill("ingest", "projector", fault, (pause, order))
            finally:
                self._webhook_proxy.resume()

    async def sender(self, fault: Fault) -> int:
        """Kill while accounting has answered webhooks in its hands.

        The deliveries are handled before: lost ones are released again, so they would prove nothing.
        """
        dice = self._clients.dice(str(fault))

        async def collect() -> bool:
            self._webhook_proxy.pause()
            send = await self._clients.send_some(dice, transactional=fault.random_share < 0.5)
            try:
                await eventually(lambda: self._is_through(send), AIM_SECONDS)
            except AssertionError:
                self._webhook_proxy.resume()
                return False
            return True

        async def resume() -> None:
            self._webhook_proxy.resume()

        try:
            return await self._kill("sender", "accounting", fault, (collect, resume))
        finally:
            self._webhook_proxy.resume()

    async def _is_through(self, send: str) -> bool:
        async with self._world.mongo() as database:
            closed = await database["sends"].find_one({"_id": send, "closedAt": {"$ne": None}})
        return closed is not None and send in self._webhook_proxy.waiting

    async def _kill(
        self,
        name: str,
        stage: str,
        fault: Fault,
        steps: tuple[Callable[[], Awaitable[bool]], Callable[[], Awaitable[None]]],
    ) -> int:
        """Kill the service in a batch. `steps`: one before the database is suspended, and one that brings
        the stage its records then.
        """
        world, (prepare, bring) = self._world, steps
        server = world.servers[name]
        async with world.guards[server], world.guards[world.database]:
            deadline = time.monotonic() + HIT_SECONDS
            while server.returncode is None:
                assert time.monotonic() < deadline, f"{fault} hit nothing for {HIT_SECONDS:g} s"
                if not await prepare() or not await self._keeps_up(name, stage):
                    continue
                async with suspended(world, "database"):
                    patient = time.monotonic() < deadline - HIT_SECONDS / 2
                    since = time.time() if patient else 0.0
                    await bring()
                    if await self._hangs(name, stage, since):
                        world.up.pop(name, None)
                        await asyncio.to_thread(server.kill)
            await asyncio.sleep(fault.lasts)
            await world.start_service(name)
        return 1

    async def _keeps_up(self, name: str, stage: str) -> bool:
        """Check that the stage keeps up; else it will have something in its hands, whatever comes."""

        async def look() -> bool:
            age = await self._age(name, stage)
            return age is not None and age < YOUNG_SECONDS

        with suppress(AssertionError):
            return bool(await eventually(look, AIM_SECONDS))
        return False

    async def _hangs(self, name: str, stage: str, since: float) -> bool:
        """Check whether what it has in hand only gets older, and was written after `since`.

        What it had before may be half done, so that its loss would show less; on a machine so busy
        that it always has something, that must do.
        """
        ages, deadline = [0.0], time.monotonic() + HANGS_SECONDS
        while time.monotonic() < deadline:
            await asyncio.sleep(LOOK_SECONDS)
            age = await self._age(name, stage) or 0.0
            ages = [*ages, age] if age >= ages[-1] + LOOK_SECONDS / 2 else [age]
            if len(ages) > LOOKS:
                return time.time() - age >= since - ROUNDING_SECONDS
        return False

    async def _age(self, name: str, stage: str) -> float | None:
        """Return the age of the oldest record in its hands, by the true time."""
        sample = f'carillon_stage_age_seconds{{stage="{stage}"}}'
        age = await self._world.measured(name, sample)
        return None if age is None else age - self._world.offsets[name]
