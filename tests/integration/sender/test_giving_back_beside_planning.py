"""Caps given back while others plan: at the end each list has what stands, and no copy of the rest."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Sequence

import pytest

from sender_service.store.contact_pushes import PlannedPush
from sender_service.store.contacts import ContactStore
from shared.models.app import Cap
from shared.settings import Settings
from tests.integration.sender.sender_harness import APP, SenderHarness, open_world
from tests.support.documents import build_merge

MANY = Cap(count=30, days=1)
VISITORS = [f"visitor-{n}" for n in range(4)]
CAP = {"cap": {"count": 1, "days": 1}}


async def _noted(world: SenderHarness, person: str) -> list[str]:
    found = await world.database["contacts"].find_one({"_id": f"{APP}:{person}"})
    return [] if found is None else sorted(entry["send"] for entry in found["pushes"])


async def _merge(world: SenderHarness, visitors: Sequence[str]) -> None:
    merges = [dict(build_merge(name, "ann", world.clock(), APP)) for name in visitors]
    await world.database["merges"].insert_many(merges)


@pytest.mark.parametrize("seed", range(3))
async def test_pushes_given_back_while_others_copy_them_are_in_no_list(
    settings: Settings, seed: int
) -> None:
    draw = random.Random(seed)
    async with open_world(settings) as world:
        stores = [ContactStore(world.database) for _ in range(3)]  # replicas
        now, kept, work = world.clock(), set[str](), list[Awaitable[object]]()
        pushes = [(name, f"{name}-{n}") for name in VISITORS for n in range(4)]
        for name, send in pushes:
            await world.contacts.reserve(APP, {name: ()}, PlannedPush(send, [MANY], now))
        await _merge(world, VISITORS)
        for name, send in pushes:
            if draw.random() < 0.5:
                kept.add(send)
            else:
                work.append(draw.choice(stores).release(APP, [name], send))
        for n in range(6):
            own, people = f"own-{n}", {"ann": VISITORS}
            work.append(draw.choice(stores).reserve(APP, people, PlannedPush(own, [MANY], now)))
            kept.add(own)
        draw.shuffle(work)
        await asyncio.gather(*work)
        assert not await world.contacts.reserve(
            APP, {"ann": VISITORS}, PlannedPush("last", [MANY], now)
        )
        assert await _noted(world, "ann") == sorted({*kept, "last"})
        for name in VISITORS:
            assert await _noted(world, name) == sorted(s for s in kept if s.startswith(name))


@pytest.mark.parametrize("seed", range(3))
async def test_call_that_fails_while_the_next_send_is_planned(
    settings: Settings, seed: int
) -> None:
    """Plan for a person while the call from before the login turns out to have reached nobody."""
    draw = random.Random(seed)
    async with open_world(settings) as world:
        await world.campaign(**CAP)
        (player,) = await world.person("visitor", login=None)
        first = await world.planned()
        assert await _noted(world, "visitor") == [first]
        await _merge(world, ["visitor"])
        await world.database["profiles"].delete_one({"_id": "visitor"})
        await world.person("ann", [player], aliases=["visitor"])

        async def fail() -> None:
            for _ in range(draw.randrange(20)):
                await asyncio.sleep(0)
            await world.delivered(first, outcome="failed", reason="rejected", notification_id=None)

        second, _ = await asyncio.gather(world.planned(), fail())
        sums = await world.sums(second)
        assert sums.pending + sums.suppressed.get("capped", 0) == 1
        assert await _noted(world, "visitor") == []
        assert await _noted(world, "ann") == ([second] if sums.pending else [])
        third = await world.sums(await world.planned())
        assert (third.pending, third.suppressed) == (
            (0, {"capped": 1}) if sums.pending else (1, {})
        )
