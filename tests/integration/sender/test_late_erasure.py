"""D6: whoever is erased while a page is planned is in none, however long the planning takes."""

from __future__ import annotations

from typing import Any

import pytest

from sender_service.store.people import PeopleReader
from shared.documents.profile import Profile
from shared.mongo.client import Document
from shared.settings import Settings
from tests.integration.sender.sender_harness import APP, SenderHarness, open_world

CAP = {"cap": {"count": 5, "days": 7}}


async def erase(world: SenderHarness, person: str, players: list[str]) -> None:
    """Erase as ingest does it: counted before its first write and after its last."""
    database, now = world.database, world.clock()
    count: Document = {"$inc": {"count": 1}}
    await database["projector"].update_one({"_id": "erasures"}, count, upsert=True)
    change = {"$set": {"state": "erased", "reason": "erased", "person": "", "changedAt": now}}
    await database["players"].update_many({"_id": {"$in": players}}, change)
    await database["profiles"].delete_one({"_id": person})
    await database["erased"].insert_one({"_id": person, "app": APP, "at": now})
    await database["projector"].update_one({"_id": "erasures"}, count, upsert=True)


class Slow(PeopleReader):
    """Reader that pauses between a reading and its page, while a person is erased."""

    def __init__(self, world: SenderHarness, person: str, players: list[str]) -> None:
        super().__init__(world.database)
        self._world = world
        self._gone: tuple[str, list[str]] | None = (person, players)

    async def in_slots(self, app: str, slots: tuple[int, int]) -> list[Profile]:
        found = await super().in_slots(app, slots)
        if self._gone is not None and self._gone[0] in {p["_id"] for p in found}:
            await erase(self._world, *self._gone)
            self._gone = None
            self._world.clock.advance(11)
        return found


async def everything(world: SenderHarness) -> str:
    names = ("pages", "bodies", "contacts")
    return str([[d async for d in world.database[name].find({})] for name in names])


async def test_d6_who_is_erased_while_a_page_is_planned_is_not_in_it(settings: Settings) -> None:
    async with open_world(settings) as world:
        await world.campaign(**CAP)
        (ann,) = await world.person("ann-the-erased")
        (bob,) = await world.person("bob")
        await world.own(ann, "ann-the-erased")
        send = await world.trigger()
        people = Slow(world, "ann-the-erased", [ann])
        await world.planner(people=people).plan_one()
        text = await everything(world)
        assert ann not in text and "ann-the-erased" not in text
        assert bob in text
        sums: Any = await world.sums(send)
        assert (sums.audience, sums.suppressed) == (2, {"erased": 1})


@pytest.mark.parametrize("crashed", [False, True])
async def test_d6_so_it_is_where_another_planner_goes_on(settings: Settings, crashed: bool) -> None:
    # It came to insert the page, and to nothing more.
    async with open_world(settings) as world:
        await world.campaign()
        (ann,) = await world.person("ann-the-erased")
        await world.own(ann, "ann-the-erased")
        await world.person("bob")
        send = await world.planned()
        if crashed:
            await erase(world, "ann-the-erased", [ann])
            again = {"$set": {"state": "planning", "planDue": world.clock(), "pages": 0}}
            await world.database["sends"].update_one({"_id": send}, again)
            await world.planner("another").plan_one()
        assert (ann in await everything(world)) is not crashed
