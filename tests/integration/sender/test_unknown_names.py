"""Names that nobody is known by yet: looked up again while the projector is behind, never longer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sender_service.planner.planner import Planner
from sender_service.planner.target import Candidate
from sender_service.planner.unknown_names import MAX_LOOKUPS, MAX_WAITING, UnknownNames
from sender_service.store.progress import ProjectorProgress
from shared.clock import monotonic, utc_now
from shared.kafka.topics import EVENTS_TOPIC
from shared.mongo.collections import PROCESSES
from shared.settings import Settings
from tests.integration.sender.sender_harness import SenderHarness, open_world
from tests.integration.sender.two_replicas import TwoReplicas
from tests.support.sends import build_send

ANN = [{"login": "ann"}]


class Stand:
    """A world, its planner, and one projector whose beats the test writes."""

    def __init__(self, world: SenderHarness) -> None:
        self.world = world
        progress = ProjectorProgress(world.database, world.clock.monotonic)
        unknown_names = UnknownNames(progress, world.clock, world.clock.monotonic)
        self.planner: Planner = world.planner(unknown_names=unknown_names)

    async def beat(self, **behind_ms: int) -> None:
        partitions = {str(n): behind_ms.get(f"p{n}", 0) for n in range(EVENTS_TOPIC.partitions)}
        await self.world.database[PROCESSES.name].update_one(
            {"_id": "projector"},
            {"$set": {"partitions": partitions}, "$inc": {"beat": 1}},
            upsert=True,
        )

    async def until_planned(self, send: str, *, beats: bool, **behind_ms: int) -> tuple[float, int]:
        """Return how long it took, by the world's clock, and how often names were looked up."""
        looks = 0
        for tenth in range(600):
            if beats and tenth % 10 == 0:
                await self.beat(**behind_ms)
            looks += await self.planner.plan_one()
            if (await self.get(send))["state"] != "planning":
                return tenth / 10, looks
            self.world.clock.advance(0.1)
        raise AssertionError("never planned")

    async def get(self, send: str) -> dict[str, Any]:
        found = await self.world.database["sends"].find_one({"_id": send})
        assert found is not None
        return {**found}


@pytest.fixture
async def stand(settings: Settings) -> AsyncIterator[Stand]:
    async with open_world(settings) as world:
        await world.campaign()
        yield Stand(world)


@pytest.mark.parametrize("priority", ["marketing", "transactional"])
async def test_d3_who_comes_a_moment_later_gets_it(stand: Stand, priority: str) -> None:
    world = stand.world
    send = await world.trigger(priority, recipients=[*ANN, {"login": "bob"}])
    await world.person("bob")
    assert await stand.planner.plan_one()
    waiting = await stand.get(send)
    assert (waiting["state"], waiting["planner"], waiting["begun"]) == ("planning", None, 0)
    # Others are planned meanwhile.
    other = await world.trigger(priority, recipients=[{"login": "bob"}])
    assert await stand.planner.plan_one()
    assert (await stand.get(other))["state"] == "sending"
    assert not await stand.planner.plan_one()
    await world.person("ann")
    world.clock.advance(0.25)
    assert await stand.planner.plan_one()
    assert (await world.sums(send)).pending == 2


async def test_d3_a_player_and_a_browser_without_one_are_unknown_too(stand: Stand) -> None:
    world = stand.world
    player = "6d1c6a6e-9c4f-4f0e-8f53-2f0a0c7a5d11"
    await world.person("guest", ["5d1c6a6e-9c4f-4f0e-8f53-2f0a0c7a5d11"])
    await world.database["profiles"].update_one({"_id": "guest"}, {"$set": {"players": []}})
    for name in ({"player": player}, {"visitor": "v-guest"}):
        send = await world.trigger(recipients=[name])
        assert await stand.planner.plan_one()
        assert (await stand.get(send))["state"] == "planning"
    world.clock.advance(1)
    await world.person("ann", [player])
    await world.person("guest")
    for _ in range(2):
        assert await stand.planner.plan_one()
    assert (
        await world.sends.planning.next_due(
            {"priority": "marketing"}, world.clock() + timedelta(hours=1)
        )
        is None
    )


async def test_d3_nobody_is_waited_for_once_the_projector_has_passed(stand: Stand) -> None:
    send = await stand.world.trigger(recipients=ANN)
    seconds, looks = await stand.until_planned(send, beats=True)
    assert 1 < seconds < 3.5 and looks < 20
    assert (await stand.world.sums(send)).people["no_player"] == 1


async def test_d3_while_it_is_behind_at_most_ten_seconds(stand: Stand) -> None:
    for priority, most in (("marketing", 10.0), ("transactional", 2.0)):
        send = await stand.world.trigger(priority, recipients=ANN)
        seconds, _ = await stand.until_planned(send, beats=True, p3=60_000)
        assert most - 0.5 <= seconds <= most + 0.5
        assert (await stand.world.sums(send)).people["no_player"] == 1


async def test_d3_a_projector_that_is_gone_has_passed_nothing(stand: Stand) -> None:
    for _ in range(4):
        await stand.beat()
        await stand.planner.plan_one()
        stand.world.clock.advance(1)
    stand.world.clock.advance(60)
    send = await stand.world.trigger(recipients=ANN)
    seconds, _ = await stand.until_planned(send, beats=False)
    assert 9.5 <= seconds <= 10.5


async def test_d3_clocks_that_differ_make_no_wait_longer(stand: Stand) -> None:
    send = await stand.world.trigger(recipients=ANN)
    ahead = stand.world.clock() + timedelta(minutes=10)
    await stand.world.database["sends"].update_one({"_id": send}, {"$set": {"createdAt": ahead}})
    seconds, looks = await stand.until_planned(send, beats=False)
    assert looks <= MAX_LOOKUPS + 1 and seconds <= 30


async def test_d3_a_trigger_of_long_ago_waits_for_nobody(stand: Stand) -> None:
    send = await stand.world.trigger(recipients=ANN)
    stand.world.clock.advance(3600)
    assert await stand.until_planned(send, beats=False) == (0.0, 1)


async def test_d3_the_fast_path_leaves_unknown_people_to_the_planner(pair: TwoReplicas) -> None:
    players = await pair.people(1)
    progress = ProjectorProgress(pair.database, monotonic)
    unknown_names = UnknownNames(progress, utc_now, monotonic)
    pair = replace(pair, one=replace(pair.one, unknown_names=unknown_names))
    known = await pair.trigger(priority="transactional", recipients=[{"login": "login0"}])
    early = await pair.trigger(priority="transactional", recipients=[{"login": "late"}])
    assert [job.players for job in await pair.jobs(known)] == [players]
    send = await pair.stores.sends.get(early)
    assert send is not None and (send.state, send.pages) == ("planning", 0)
    now = send.created_at
    assert now < send.plan_due <= now + timedelta(seconds=1)
    await pair.database["profiles"].update_one({"_id": "p0"}, {"$set": {"login": "late"}})
    planner, due = (
        pair.two.planners()[0],
        await pair.two.context.stores.sends.planning.next_due(
            {"priority": "transactional"}, send.plan_due
        ),
    )
    assert due == send.plan_due
    while not await planner.plan_one():
        pass
    planned = await pair.stores.sends.get(early)
    assert planned is not None and planned.state == "sending"
    (page,) = await pair.pages(early)
    assert page["sums"]["pending"] == 1


async def test_d3_a_flood_of_unknown_names_waits_in_bounds(stand: Stand) -> None:
    world = stand.world
    progress = ProjectorProgress(world.database, world.clock.monotonic)
    unknown_names = UnknownNames(progress, world.clock, world.clock.monotonic)
    nobody = [Candidate([0, 1], None)]
    sends = []
    for _ in range(MAX_WAITING + 50):
        send = build_send("one", world.clock(), priority="transactional")
        sends.append(unknown_names.put_off(send, nobody))
    assert sum(sends) == MAX_WAITING
    world.clock.advance(2.5)
    send.looks, send.created_at = 0, world.clock()
    assert unknown_names.put_off(send, nobody)
