"""Injector of a plan's faults: each kind is an action, which returns how often it hit."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial

from shared.kafka.client import LogWriter
from tests.faults.clocks import Clocks
from tests.faults.customers import Customers
from tests.faults.fault_cluster import FaultCluster
from tests.faults.flooding import Flooding
from tests.faults.mid_batch import MidBatch
from tests.faults.mid_firing import MidFiring
from tests.faults.misbehaviour import DICE, Misbehaviour
from tests.faults.old_knowledge import OldKnowledge
from tests.faults.plan import Fault, Round
from tests.faults.poison import plant
from tests.faults.processes import Processes
from tests.faults.shop import Shop
from tests.faults.store_answers import StoreAnswers
from tests.faults.traffic import Clients
from tests.faults.webhook_proxy import WebhookProxy

FaultAction = Callable[[Fault], Awaitable[int]]


class FaultInjector:
    """One round's. `hits`: of each kind; `planted` are the places of the poison."""

    def __init__(self, writer: LogWriter, actions: dict[str, FaultAction]) -> None:
        self._writer = writer
        self._actions = {**actions, "poison": self._poison}
        self.hits = Counter[str]()
        self.planted = 0

    async def carry_out(self, plan: Round) -> None:
        async with asyncio.TaskGroup() as tasks:
            for fault in plan.faults:
                tasks.create_task(self._one(fault))

    async def _one(self, fault: Fault) -> None:
        await asyncio.sleep(fault.at)
        hits = await self._actions[fault.kind](fault)
        assert hits > 0, f"{fault} hit nothing"
        self.hits[fault.kind] += hits

    async def _poison(self, fault: Fault) -> int:
        planted = await plant(self._writer, int(fault.random_share * 1_000_000))
        self.planted += planted
        return planted


def fault_actions(
    world: FaultCluster,
    shop: Shop,
    webhook_proxy: WebhookProxy,
    clients: Clients,
    customers: Customers,
) -> dict[str, FaultAction]:
    """Return the action of every kind of fault but the poison."""
    processes, clocks = Processes(world, clients), Clocks(world)
    mid_batch = MidBatch(world, clients, webhook_proxy)
    store = StoreAnswers(world)
    misbehaviour = Misbehaviour(world, shop, clients, processes)
    verbs = {"kill": processes.kill, "stop": processes.stop, "freeze": processes.freeze}
    return {
        **{
            f"{v}_{name}": partial(action, name)
            for v, action in verbs.items()
            for name in world.servers
        },
        **{kind: partial(misbehaviour.of_answers, odds) for kind, odds in DICE.items()},
        "webhooks_lost_and_doubled": misbehaviour.of_webhooks,
        "hold_and_kill_sender": misbehaviour.kill_during_call,
        "kill_mid_batch_ingest": mid_batch.ingest,
        "kill_mid_batch_sender": mid_batch.sender,
        "clocks_differ": clocks.differ,
        "clock_steps_ingest": partial(clocks.step, "ingest"),
        "clock_steps_sender": partial(clocks.step, "sender"),
        "kill_mid_firing": MidFiring(world, customers).kill,
        "projector_behind": OldKnowledge(world, shop, customers).age,
        "pipelined_flood": Flooding(world).flood,
        "disk_full_spool": processes.fill_disk,
        "unknown_store_answers": store.unknown_codes,
        "wrong_store_password": store.wrong_password,
        "full_spool": processes.fill_spool,
        "kill_ingest_spooling": processes.kill_spooling,
        "rebalance_storm": processes.storm,
    }
