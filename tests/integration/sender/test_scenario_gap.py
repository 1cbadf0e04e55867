"""Gaps between scenario pushes: counted on people like caps, over scenario pushes alone."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from sender_service.models.policy import AppPolicy, Gap
from sender_service.store.contact_pushes import PlannedPush
from shared.models.app import Cap
from shared.mongo.collections import CONTACTS
from shared.settings import Settings
from tests.integration.sender.sender_harness import APP, SenderHarness, open_world

ANN = [{"person": "ann"}]
GAP = Gap(timedelta(minutes=60))
NO_GAP = Gap(timedelta(0))
DAILY = Cap(count=1, days=1)


async def _fired(world: SenderHarness, **policy: object) -> dict[str, int]:
    """Plan a scenario's send to ann; return her suppressions."""
    send = await world.trigger("triggered", recipients=ANN)
    planner = world.planner(policy=lambda app: AppPolicy.model_validate(policy))
    assert await planner.plan_one()
    await world.delivered(send)
    return (await world.sums(send)).suppressed


async def test_two_scenario_pushes_keep_the_gap(settings: Settings) -> None:
    async with open_world(settings) as world:
        await world.campaign()
        await world.person("ann")
        assert await _fired(world) == {}
        world.clock.advance(3_599)
        assert await _fired(world) == {"capped": 1}
        world.clock.advance(1)
        assert await _fired(world) == {}
        world.clock.advance(300)
        assert await _fired(world, gapMinutes=5) == {}
        assert await _fired(world, gapMinutes=0) == {}
        assert await _fired(world, gapMinutes=0) == {}


async def test_marketing_keeps_no_gap_and_caps_count_scenario_pushes(settings: Settings) -> None:
    async with open_world(settings) as world:
        await world.campaign(cap=DAILY)
        await world.person("ann")
        await world.delivered(await world.planned())
        # Of marketing only the cap is counted.
        assert await _fired(world) == {"capped": 1}
        await world.campaign()
        assert await _fired(world) == {}
        assert await _fired(world) == {"capped": 1}
        assert (await world.sums(await world.planned())).pending == 1
        await world.campaign(cap={"count": 2, "days": 1})
        assert (await world.sums(await world.planned())).suppressed == {"capped": 1}


async def test_what_was_never_sent_holds_no_push_up(settings: Settings) -> None:
    async with open_world(settings) as world:
        await world.campaign()
        (player,) = await world.person("ann")
        send = await world.planned("triggered", recipients=ANN)
        failed = [{"player": player, "outcome": "failed", "reason": "invalid_player"}]
        await world.delivered(send, players=failed)
        assert await _fired(world) == {}


async def test_firings_at_once_never_push_a_person_twice(settings: Settings) -> None:
    async with open_world(settings) as world:
        people, now = {f"p{n}": () for n in range(50)}, world.clock()
        reserve = world.contacts.reserve
        refused = await asyncio.gather(
            *(reserve(APP, people, PlannedPush(f"send-{n}", [GAP], now)) for n in range(5))
        )
        for person in people:
            assert sum(person not in r for r in refused) == 1
        again = await reserve(APP, people, PlannedPush("send-0", [GAP], now))
        assert again == refused[0], "a repetition"


async def test_pushes_of_merged_persons_count(settings: Settings) -> None:
    async with open_world(settings) as world:
        now, contacts = world.clock(), world.contacts
        for send, caps in (("one", [GAP]), ("two", [DAILY])):
            push, visitor = PlannedPush(send, caps, now), f"visitor-{send}"
            assert await contacts.reserve(APP, {visitor: ()}, push) == set()
        people = {"ann": ("visitor-one", "visitor-two")}
        assert await contacts.scenario_pushes(APP, {**people, "bob": ()}) == {
            "ann": [now],
            "bob": [],
        }
        third = PlannedPush("three", [GAP], now + timedelta(minutes=59))
        assert await contacts.reserve(APP, people, third) == {"ann"}
        # What was copied keeps its mark, as the merge is undone.
        assert await contacts.scenario_pushes(APP, {"ann": ()}) == {"ann": [now]}
        assert await contacts.refused(APP, {"ann": ()}, third) == {"ann"}
        assert await contacts.refused(APP, {"ann": ()}, replace(third, caps=[NO_GAP])) == set()
        assert await contacts.reserve(APP, people, replace(third, now=now + GAP.window)) == set()
        stored = await world.database[CONTACTS.name].find_one({"_id": f"{APP}:ann"})
        assert stored is not None
        assert {p["send"]: p.get("scenario", False) for p in stored["pushes"]} == {
            "one": True, "two": False, "three": True,
        }  # fmt: skip


async def test_two_that_wait_for_the_same_morning_keep_the_gap(settings: Settings) -> None:
    """Plan them three hours apart: both would leave at the night's end."""
    async with open_world(settings) as world:
        await world.person("ann", timeZone="Asia/Tokyo")
        night = {"from": "21:00", "to": "08:00"}  # it is 21:00 in Tokyo
        await world.campaign(quietHours=night)
        assert await _fired(world) == {}
        world.clock.advance(3 * 3600)
        assert await _fired(world) == {"capped": 1}
        # What leaves by night is far from the morning; what leaves just before it isn't.
        await world.campaign(quietHours=False)
        assert await _fired(world) == {}
        world.clock.advance(7.5 * 3600)
        assert await _fired(world) == {"capped": 1}
        world.clock.advance(1.5 * 3600)
        assert await _fired(world) == {}


async def test_what_meets_the_night_later_is_noted_for_the_morning(settings: Settings) -> None:
    async with open_world(settings) as world:
        now, contacts, people = world.clock(), world.contacts, {"ann": (), "bob": ()}
        morning = now + timedelta(hours=11)
        assert await contacts.reserve(APP, people, PlannedPush("one", [GAP], now)) == set()
        other = PlannedPush("two", [GAP], now + 2 * GAP.window, {"bob": morning})
        assert await contacts.reserve(APP, {"bob": ()}, other) == set()
        for _ in range(2):  # a repetition changes nothing
            to = dict.fromkeys([*people, "nobody"], morning)
            assert await contacts.move(APP, "one", GAP, to) == {"bob"}
        pushes = await contacts.scenario_pushes(APP, people)
        assert pushes == {"ann": [morning], "bob": [now, morning]}
        assert await contacts.refused(APP, {"ann": ()}, replace(other, later={"ann": morning}))
