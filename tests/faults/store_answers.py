"""Faults of what the database answers: codes that nobody knows, a password that it takes no more."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

from tests.faults.fault_cluster import SERVICES, FaultCluster
from tests.faults.hits import HIT_SECONDS
from tests.faults.plan import Fault
from tests.support.mongo_proxy import Decide, How, Refusal
from tests.support.mongo_wire import Message
from tests.support.stack import eventually

WRONG_PASSWORD = Refusal(18, "AuthenticationFailed")
HOWS: tuple[How, ...] = ("refuse", "half", "refuse_after")
SHARE = 0.1  # of all commands, beyond each one's first


def refuse_each(dice: Random, share: float = SHARE) -> Decide:
    """Refuse the first commands of each kind on each collection in every way, then a share of all."""
    met = Counter[tuple[str, str]]()

    def decide(request: Message) -> Refusal | None:
        met[request.command, request.collection] += 1
        number = met[request.command, request.collection]
        if number <= len(HOWS):
            return Refusal(how=HOWS[number - 1])
        return Refusal(how=dice.choice(HOWS)) if dice.random() < share else None

    return decide


class StoreAnswers:
    def __init__(self, world: FaultCluster) -> None:
        self._world = world

    async def unknown_codes(self, fault: Fault) -> int:
        """Answer unknown codes, in the middle of batches, too."""
        return await self._answer(fault, refuse_each(Random(fault.random_share)))

    async def wrong_password(self, fault: Fault) -> int:
        return await self._answer(fault, lambda _: WRONG_PASSWORD)

    async def _answer(self, fault: Fault, decide: Decide) -> int:
        world = self._world
        # With the database's guard, so that it is there to be asked.
        async with world.guards[world.database]:
            with deciding(world, decide) as hits:
                await asyncio.sleep(fault.lasts)
                await eventually(hits, HIT_SECONDS)
        for name in SERVICES:  # nobody else ends them meanwhile
            async with world.guards[world.servers[name]]:
                code = world.servers[name].returncode
                assert code is None, f"{name} ended with {code} by {fault}"
        return hits()


@contextmanager
def deciding(world: FaultCluster, decide: Decide) -> Iterator[Callable[[], int]]:
    """Answer the services as `decide` says; yield a function that counts those answers."""
    before = world.proxy.hits.total()
    world.proxy.decide = decide
    try:
        yield lambda: world.proxy.hits.total() - before
    finally:
        world.proxy.decide = lambda _: None
