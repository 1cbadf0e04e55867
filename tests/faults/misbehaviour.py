"""Faults of OneSignal: refusals, silence, webhooks that get lost; each until it has hit a call."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from tests.faults.fault_cluster import FaultCluster
from tests.faults.hits import until_hit
from tests.faults.plan import Fault
from tests.faults.processes import Processes
from tests.faults.shop import Shop
from tests.faults.traffic import Clients

Odds = dict[str, float]
DICE: dict[str, Odds] = {
    "storm_429": {"429": 1.0},
    "errors_5xx": {"500": 0.4, "503_html": 0.3, "empty": 0.3},
    "hang": {"hang": 1.0},
    "accepted_then_timeout": {"accepted_then_timeout": 1.0},
}


class Misbehaviour:
    def __init__(
        self, world: FaultCluster, shop: Shop, clients: Clients, processes: Processes
    ) -> None:
        self._world = world
        self._shop = shop
        self._clients = clients
        self._processes = processes

    async def of_answers(self, odds: Odds, fault: Fault) -> int:
        return await self._misbehave(fault, {"odds": odds}, self._not_answered_well)

    async def of_webhooks(self, fault: Fault) -> int:
        plan = {"webhooks": {"drop": 0.3, "duplicate": 0.4}}
        return await self._misbehave(fault, plan, self._webhooks_hit)

    async def kill_during_call(self, fault: Fault) -> int:
        """Kill between a call and its answer: the push is out already.

        The sender's guard is taken before the sandbox delays answers: then no other holder could send.
        """
        async with self._world.plan_guard, self._world.guards[self._world.sender]:
            hits = await until_hit(fault, self._aim(fault, {"hold": True}), self._notifications)
            await self._processes.kill_guarded("sender", fault)
            await self._world.misbehave({})
        return hits

    async def _misbehave(
        self, fault: Fault, plan: dict[str, Any], hits: Callable[[], Awaitable[int]]
    ) -> int:
        plan = {"seed": int(fault.random_share * 1_000_000), "retry_after": 1, **plan}
        async with self._world.plan_guard:
            before = await hits()
            await until_hit(fault, self._aim(fault, plan), hits)
            await asyncio.sleep(fault.lasts)
            hit = await hits() - before
            await self._world.misbehave({})
        return hit

    def _aim(self, fault: Fault, plan: dict[str, Any]) -> Callable[[], Awaitable[None]]:
        """Set the plan each time: a sandbox that was killed meanwhile has forgotten it."""
        dice = self._clients.dice(str(fault))

        async def aim() -> None:
            await self._world.misbehave(plan)
            await self._clients.send_some(dice, transactional=fault.random_share < 0.5)

        return aim

    async def _not_answered_well(self) -> int:
        answers: dict[str, int] = (await self._tally())["answers"]
        return sum(count for status, count in answers.items() if status != "200")

    async def _webhooks_hit(self) -> int:
        webhooks = (await self._tally())["webhooks"]
        return int(webhooks["dropped"] + webhooks["duplicated"])

    async def _notifications(self) -> int:
        return int((await self._tally())["notifications"])

    async def _tally(self) -> Any:
        path = f"/sandbox/tally?app_id={self._shop.one_signal}&summary=1"
        return await self._world.onesignal("GET", path)
