"""The projector isn't there, or far behind: what people did lately is unknown, so nobody is pushed.

Orders are accepted while no projector may handle them. Then ingest is stopped, suspended, or by its
clock two minutes late. What would forbid a push is unknown in each case.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from ingest_service.replay.lease import ReplayLease, ReplayLeases
from sender_service.pages.document import send_of
from shared.clock import monotonic
from shared.mongo.client import Database
from tests.faults.customer_runs import run_of
from tests.faults.customers import Customer, Customers
from tests.faults.fault_cluster import FaultCluster
from tests.faults.hits import HIT_SECONDS
from tests.faults.mid_firing import documents_of
from tests.faults.plan import Fault
from tests.faults.processes import gone, suspended
from tests.faults.shop import Shop
from tests.support.mongo_proxy import Decide, Refusal
from tests.support.mongo_wire import Message
from tests.support.stack import eventually

HOWS = ("stopped", "suspended", "slow")
SLOW_SECONDS = 130  # more than knowledge may be behind
DEAD_SECONDS = 5.0  # a projector without a beat for so long needn't pause
Document = dict[str, Any]


class OldKnowledge:
    def __init__(self, world: FaultCluster, shop: Shop, customers: Customers) -> None:
        self._world = world
        self._shop = shop
        self._customers = customers

    async def age(self, fault: Fault) -> int:
        """Let knowledge become old while one push is planned, and two runs fall due.

        Of these three customers two bought before: the one of the planned push, and one of the due runs.
        """
        world, how = self._world, HOWS[int(fault.random_share * len(HOWS))]
        planned, buyer, other = (self._customers.take() for _ in range(3))
        async with (
            world.replica_guard,
            world.guards[world.ingest],
            world.guards[world.sender],  # a new one knows nothing, and then what came just before
            world.guards[world.database],
            world.clock_guards["ingest"],
            world.mongo() as database,
            self._unreleased(database, planned),
            _paused(database) as replay,
        ):
            await eventually(self._is_fresh, HIT_SECONDS, every=0.1)
            for customer in (planned, buyer):
                await self._customers.buy(customer)
                customer.bought_in_time = True
            async with self._away(how, replay):
                await eventually(self._is_old, HIT_SECONDS, every=0.1)
                world.proxy.decide = lambda _: None
                for customer in (buyer, other):
                    await self._customers.let_hour_pass(customer)
                before = await self._state(database, planned, buyer, other)
                await eventually(self._health_names_it, HIT_SECONDS, every=0.1)
                await asyncio.sleep(fault.lasts)
                after = await self._state(database, planned, buyer, other)
                assert after == before, f"went on by old knowledge: {before} became {after}"
        return 1

    @asynccontextmanager
    async def _unreleased(self, database: Database, customer: Customer) -> AsyncIterator[None]:
        """Let an hour pass for the customer; keep what is planned for her from being released."""
        self._world.proxy.decide = _refuse_releases()
        try:
            await self._customers.let_hour_pass(customer)
            await eventually(lambda: self._page(database, customer), HIT_SECONDS, every=0.1)
            yield
        finally:
            self._world.proxy.decide = lambda _: None

    @asynccontextmanager
    async def _away(self, how: str, replay: ReplayLease) -> AsyncIterator[None]:
        """Stop, suspend or slow ingest; its projector is let go before it comes back."""
        world = self._world
        if how == "slow":
            world.set_clock("ingest", SLOW_SECONDS)
            yield
            await replay.release()
            world.set_clock("ingest", 0)
        elif how == "stopped":
            async with gone(world, "ingest") as server:
                assert await asyncio.to_thread(server.stop) == 0
                yield
                await replay.release()
        else:
            world.up.pop("ingest", None)
            async with suspended(world, "ingest"):
                yield
                await replay.release()
            world.up["ingest"] = time.monotonic()

    async def _is_fresh(self) -> bool:
        return await self._world.measured("sender", "carillon_knowledge_old") == 0

    async def _is_old(self) -> bool:
        return await self._world.measured("sender", "carillon_knowledge_old") == 1

    async def _health_names_it(self) -> bool:
        """Check that the sender's health names why something rests."""
        body = await self._world.health("sender")
        errors = {one["name"]: one["error"] for one in body.get("dependencies", ())}
        code = (errors.get("loop:knowledge") or "").partition(":")[0]
        return code in ("projector_silent", "projector_behind")

    async def _state(self, database: Database, *customers: Customer) -> list[Document]:
        """Return what the customers' runs have come to, and whether the first one's push is released."""
        runs = [await run_of(database, self._shop, one) or {} for one in customers]
        page = await self._page(database, customers[0]) or {}
        state = [{name: run.get(name) for name in ("rev", "step", "ended")} for run in runs]
        return [*state, {name: page.get(name) for name in ("inFlight", "anyAttempted")}]

    async def _page(self, database: Database, customer: Customer) -> Document | None:
        run = await run_of(database, self._shop, customer)
        if not run or not run["pushes"]:
            return None
        page: Document | None
        page = await database["pages"].find_one({"send": run["pushes"][-1]["firing"]})
        return page


@asynccontextmanager
async def _paused(database: Database) -> AsyncIterator[ReplayLease]:
    """Pause all projectors, as a replay does before it swaps."""
    replay = await ReplayLeases(database, monotonic).acquire()
    assert replay is not None, "another replay runs"
    async with replay.kept():
        await replay.pause_projectors(DEAD_SECONDS)
        try:
            yield replay
        finally:
            await replay.release()


def _refuse_releases() -> Decide:
    """Return what refuses every change of the pages of firings that begin from now on."""
    firings = set[str]()

    def decide(request: Message) -> Refusal | None:
        if (request.command, request.collection) == ("insert", "firings"):
            firings.update(one["_id"] for one in documents_of(request))
        if (request.command, request.collection) != ("update", "pages"):
            return None
        pages = [str(one["q"].get("_id", "")) for one in documents_of(request)]
        return Refusal() if any(send_of(page) in firings for page in pages) else None

    return decide
