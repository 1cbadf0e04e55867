"""The database answers what no list has, to every stage of both services, in the middle of batches."""

from __future__ import annotations

from random import Random

import pytest

from tests.faults.conftest import CHOICE
from tests.faults.fault_cluster import FaultCluster
from tests.faults.plan import WINDOW_SECONDS, Fault, Round
from tests.faults.rounds import FaultRun
from tests.faults.shop import Shop
from tests.faults.store_answers import deciding, refuse_each
from tests.support.stack import eventually

pytestmark = [pytest.mark.stack, pytest.mark.timeout(420)]

# What only that stage or loop writes or reads: whoever leaves a stage out is noticed.
MET = {
    "projector": ("visitors", "players", "profiles", "merges"),
    "apps": ("apps",),
    "intake": ("sends", "campaigns"),
    "planner": ("pages", "bodies"),
    "scheduler": ("budgets",),
    "governor": ("replicas",),
    "accounting": ("interactions", "contacts"),
    "letters": ("dead_letters",),
    "reports": ("send_reports", "reports"),
    "pause_barrier": ("projector",),
}
ERASING = ("erased", "profiles", "visitors", "pages", "sends", "contacts")


async def test_e4_each_stage_meets_an_invented_code(course: FaultRun) -> None:
    # Nothing in the dead letters but the poison, nothing lost, no process ended.
    faults = (
        Fault("unknown_store_answers", 0.0, WINDOW_SECONDS, 0.5),
        Fault("poison", 2.0, 0.5, 0.5),
    )
    world = course.world
    before = world.proxy.hits.copy()
    await course.run(Round(0, f"{CHOICE.seed}:answers", faults))
    ways = {how for _, _, how in world.proxy.hits - before}
    assert ways == {"refuse", "half", "refuse_after"}
    await _erase_person(world, course.shops[-1])
    # Requested reports are looked for every 10 s: perhaps not within the round's faults.
    met = {collection for _, collection, _ in world.proxy.hits - before}
    missed = {stage: set(names) - met for stage, names in MET.items() if not met & set(names)}
    assert not missed, f"nothing was refused to {missed}; met {sorted(met)}"


async def _erase_person(world: FaultCluster, shop: Shop) -> None:
    """Erase a person with a push through both services, which meets the codes too."""
    async with world.mongo() as database:
        profile = await database["profiles"].find_one({"app": shop.app})
    assert profile is not None
    before = world.proxy.hits.copy()
    # Each step is refused three times, and a stage begins again after 5 s: a minute, or two when busy.
    with deciding(world, refuse_each(Random(CHOICE.seed), share=0.0)):
        await world.ops("POST", f"/v1/people/{profile['_id']}/erase")

        async def is_gone() -> bool:
            async with world.mongo() as database:
                left = await database["visitors"].count_documents({"persons": profile["_id"]})
                return left == 0 and not await database["profiles"].find_one(
                    {"_id": profile["_id"]}
                )

        await eventually(is_gone, 180, every=0.2)
        names = set(ERASING)

        async def all_met() -> bool:
            return names <= {name for _, name, _ in world.proxy.hits - before}

        await eventually(all_met, 60, every=0.2)
    await world.ready()
    assert all(world.servers[name].returncode is None for name in ("ingest", "sender"))
