"""One round after another: open a shop, break things under traffic, end the faults, count."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from shared.kafka.client import LogWriter
from tests.faults.customers import Customers
from tests.faults.fault_cluster import FaultCluster
from tests.faults.fault_injector import FaultInjector, fault_actions
from tests.faults.memory import Memory
from tests.faults.plan import Choice, Round
from tests.faults.prober import Prober
from tests.faults.reconciliation import Reconciliation
from tests.faults.scenario_checks import ScenarioChecks
from tests.faults.shop import Shop, open_shop
from tests.faults.traffic import Clients
from tests.faults.webhook_proxy import WebhookProxy
from tests.support.cluster import is_cluster

Work = Callable[[], Coroutine[Any, Any, None]]
Watcher = Callable[[asyncio.Event], Coroutine[Any, Any, None]]


@dataclass
class FaultRun:
    """Cluster and tools that the rounds of a run share."""

    world: FaultCluster
    writer: LogWriter
    webhook_proxy: WebhookProxy
    choice: Choice
    planted: int = 0
    shops: list[Shop] = field(default_factory=list)

    async def run(self, plan: Round) -> None:
        """Raises AssertionError, which says how to repeat the round."""
        with repeatable(plan, self.choice.again(plan.number, on_cluster=is_cluster())):
            try:
                await self._run(plan)
            finally:
                self.webhook_proxy.resume()
                await self.world.calm()

    async def _run(self, plan: Round) -> None:
        world, began = self.world, time.monotonic()
        shop = Shop.of(plan.seed)
        self.shops.append(shop)
        self.webhook_proxy.strange.clear()
        await open_shop(world, self.webhook_proxy, shop)
        clients = Clients(world, shop, self.writer, plan.seed)
        customers = Customers(world, shop, clients)
        hands = FaultInjector(
            self.writer, fault_actions(world, shop, self.webhook_proxy, clients, customers)
        )
        await clients.subscribe_first_half()
        await customers.enter()
        prober = Prober(world, shop, self.webhook_proxy, await clients.first_send())
        memory = Memory(world)
        scenario = ScenarioChecks(world, shop, customers, clients.ledger)
        reconciliation = Reconciliation(world, shop, self.webhook_proxy, clients.ledger, scenario)
        async with _beside(prober.run, memory.watch):
            await self._break(plan, (clients.work, customers.work), hands)
            self._nothing_was_strange(clients)
            await reconciliation.check(self.planted)
        await reconciliation.check_prober(prober)
        _print_now(f"\n{plan.number}: {_counted(hands.hits)}")
        _print_now(f"{_traffic_line(clients, prober)}, {reconciliation.counted} interactions")
        _print_now(scenario.summary)
        _print_now(f"{_measured(prober, memory)}; {time.monotonic() - began:.0f} s")
        self._nothing_was_strange(clients)
        assert not prober.slow, f"{len(prober.slow)} answers too late: {prober.slow[:5]}"
        memory.is_bounded()

    async def _break(self, plan: Round, traffic: Sequence[Work], hands: FaultInjector) -> None:
        """Traffic and faults side by side; when the faults are over, everything is up."""

        async def break_things() -> None:
            await hands.carry_out(plan)
            self.planted += hands.planted
            await self.world.calm()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(break_things())
            for work in traffic:
                tasks.create_task(work())

    def _nothing_was_strange(self, clients: Clients) -> None:
        strange = clients.caller.strange + self.webhook_proxy.strange
        assert not strange, f"{len(strange)} answers that no client should get: {strange[:5]}"


@contextmanager
def repeatable(plan: Round, again: str) -> Iterator[None]:
    """Print how to repeat the round, whatever ends it early, a timeout too."""
    try:
        yield
    except BaseException as exc:
        causes = "; ".join(sorted({f"{type(e).__name__}: {e}" for e in _leaves(exc)}))
        _print_now(f"\n{plan}: {causes}\nagain: {again}")
        if not isinstance(exc, Exception):
            raise
        raise AssertionError(f"{plan}: {causes}\nagain: {again}") from exc


@asynccontextmanager
async def _beside(*watchers: Watcher) -> AsyncIterator[None]:
    """Run the watchers until the last wait is over."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for watch in watchers:
            tasks.create_task(watch(stop))
        yield
        stop.set()


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if not isinstance(error, BaseExceptionGroup):
        yield error
        return
    for one in error.exceptions:
        yield from _leaves(one)


def _counted(hits: Counter[str]) -> str:
    return ", ".join(f"{kind} hit {count}" for kind, count in hits.items())


def _traffic_line(clients: Clients, prober: Prober) -> str:
    ledger, refused = clients.ledger, sum(clients.caller.refused.values())
    pushes = sum(map(len, ledger.sends.values()))
    events = len(ledger.events) + len(prober.events)
    return (
        f"{events} events accepted ({refused} refused), {len(ledger.sends)} sends, {pushes} pushes"
    )


def _measured(prober: Prober, memory: Memory) -> str:
    worst = ", ".join(f"{name} {took * 1e3:.0f} ms" for name, took in prober.worst.items())
    most = ", ".join(f"{name} {megabytes:.0f}" for name, megabytes in memory.worst.items())
    return f"slowest answer {worst}; MB {most}"


def _print_now(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
