"""A process dies between two of a firing's writes: whoever takes the app over goes on from there.

The database's proxy sees the writes. At the one of the fault it kills the sender: before it passes the
write on, or right after. The fourth write is Kafka's, so its place is before the note that it was made.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import bson

from tests.faults.customers import Customers
from tests.faults.fault_cluster import FaultCluster
from tests.faults.hits import HIT_SECONDS
from tests.faults.plan import Fault
from tests.support.mongo_proxy import Refusal
from tests.support.mongo_wire import Message
from tests.support.stack import eventually

LEFT_SECONDS = 5.0
Document = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """Place between two writes: before or after one. `left`: the firing's state then; None: no firing."""

    name: str
    is_write: Callable[[Message], bool]
    is_before: bool
    left: str | None


def documents_of(request: Message) -> list[Document]:
    """Return what a write command brings, in the body or beside it."""
    beside = [bson.decode(one) for _, documents in request.sequences for one in documents]
    return [*request.body.get("documents", ()), *request.body.get("updates", ()), *beside]


def _inserts_firing(request: Message) -> bool:
    return (request.command, request.collection) == ("insert", "firings")


def _claims_runs(request: Message) -> bool:
    if (request.command, request.collection) != ("update", "runs"):
        return False
    return any(one.get("multi") and "$push" in one["u"] for one in documents_of(request))


def _sets(state: str) -> Callable[[Message], bool]:
    def is_write(request: Message) -> bool:
        if (request.command, request.collection) != ("update", "firings"):
            return False
        return any(one["u"].get("$set", {}).get("state") == state for one in documents_of(request))

    return is_write


PLACES = (
    Place("number raised", _inserts_firing, is_before=True, left=None),
    Place("firing inserted", _inserts_firing, is_before=False, left="open"),
    Place("runs claimed", _claims_runs, is_before=False, left="open"),
    Place("members set", _sets("claimed"), is_before=False, left="claimed"),
    Place("trigger published", _sets("handed"), is_before=True, left="claimed"),
)


@dataclass
class Trap:
    """Kills once, at the place; `decide` is asked in the proxy's thread."""

    place: Place
    kill: Callable[[], None]
    is_sprung: bool = field(default=False, init=False)

    def decide(self, request: Message) -> Refusal | None:
        if self.is_sprung or not self.place.is_write(request):
            return None
        self.kill()
        self.is_sprung = True
        return Refusal() if self.place.is_before else None


class MidFiring:
    def __init__(self, world: FaultCluster, customers: Customers) -> None:
        self._world = world
        self._customers = customers

    async def kill(self, fault: Fault) -> int:
        """Kill the sender at the fault's place of the next firing, for which a customer falls due."""
        world, place = self._world, PLACES[int(fault.random_share * len(PLACES))]
        sender, customer = world.sender, self._customers.take()

        def kill() -> None:
            world.up.pop("sender", None)
            os.kill(sender.pid, signal.SIGKILL)

        trap = Trap(place, kill)
        async with world.replica_guard, world.guards[sender], world.guards[world.database]:
            world.proxy.decide = trap.decide
            try:
                await self._customers.let_hour_pass(customer)
                await eventually(lambda: trap.is_sprung, HIT_SECONDS)
            finally:
                world.proxy.decide = lambda _: None
            await asyncio.to_thread(sender.kill)
            await self._check_left(place)
            await asyncio.sleep(fault.lasts)
            await world.start_service("sender")
        return 1

    async def _check_left(self, place: Place) -> None:
        """Check that the sender died where it was meant to: one firing is left, or none."""
        expected = [] if place.left is None else [place.left]
        async with self._world.mongo() as database:

            async def is_left() -> bool:
                left = database["firings"].find({"state": {"$in": ["open", "claimed"]}})
                return [firing["state"] async for firing in left] == expected

            await eventually(is_left, LEFT_SECONDS, every=0.1)
