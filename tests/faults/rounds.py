"""One round after another: open a shop, break things under traffic, end the faults, count."""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import dataclass, field

from shared.kafka import LogWriter
from tests.cluster import is_cluster
from tests.faults.doorman import Doorman
from tests.faults.hands import Hands
from tests.faults.plan import Choice, Round
from tests.faults.prober import Prober
from tests.faults.shop import Shop, open_shop
from tests.faults.traffic import Clients
from tests.faults.verdict import Verdict
from tests.faults.world import World


@dataclass
class Course:
    """What the rounds of a run share."""

    world: World
    writer: LogWriter
    doorman: Doorman
    choice: Choice
    planted: int = 0
    shops: list[Shop] = field(default_factory=list)

    async def run(self, plan: Round) -> None:
        """Raises AssertionError, which says how to repeat the round."""
        try:
            await self._run(plan)
        except* (AssertionError, OSError) as group:
            told = "; ".join(sorted({str(e) for e in _leaves(group)}))
            again = self.choice.again(plan.number, on_cluster=is_cluster())
            raise AssertionError(f"{plan}: {told}\nagain: {again}") from group
        finally:
            await self.world.calm()

    async def _run(self, plan: Round) -> None:
        world, began = self.world, time.monotonic()
        shop = Shop.of(plan.seed)
        self.shops.append(shop)
        await open_shop(world, self.doorman, shop)
        clients = Clients(world, shop, self.writer, plan.seed)
        hands = Hands(world, shop, self.writer, clients)
        await clients.settle_in()
        prober, stop = Prober(world, shop, await clients.first_send()), asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(prober.run(stop))
            await self._break(plan, clients, hands)
            stop.set()
        assert not clients.strange, f"answers that no client should get: {clients.strange[:5]}"
        verdict = Verdict(world, shop, self.doorman, clients.told)
        await verdict.judge(self.planted)
        _say(plan, clients, prober, verdict, time.monotonic() - began)
        assert not prober.slow, f"{len(prober.slow)} answers too late: {prober.slow[:5]}"

    async def _break(self, plan: Round, clients: Clients, hands: Hands) -> None:
        """Traffic and faults side by side; when the faults are over, everything is up."""

        async def break_things() -> None:
            await hands.carry_out(plan)
            self.planted += hands.planted
            await self.world.calm()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(break_things())
            tasks.create_task(clients.work())


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for error in group.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found


def _say(plan: Round, clients: Clients, prober: Prober, verdict: Verdict, seconds: float) -> None:
    told = clients.told
    events = sum(map(len, told.orders.values())) + 2 * len(told.players)
    pushes = sum(map(len, told.sends.values()))
    worst = ", ".join(f"{name} {took * 1e3:.0f} ms" for name, took in prober.worst.items())
    memory = ", ".join(f"{n} {mb:.0f}" for n, mb in verdict.memory.items())
    sys.stdout.write(
        f"\n{plan}: {events} events accepted, {len(told.sends)} sends, {pushes} pushes,"
        f" {verdict.counted} interactions; slowest answer {worst}; MB {memory}; {seconds:.0f} s\n"
    )
    sys.stdout.flush()
