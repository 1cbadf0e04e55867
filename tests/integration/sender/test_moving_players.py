"""Players that change hands while a send is planned: in exactly once."""

from __future__ import annotations

from typing import Any

from sender_service.store.people import PeopleReader
from shared.ids import slot_of
from shared.settings import Settings
from tests.integration.sender.sender_harness import SenderHarness, open_world


class Meanwhile(PeopleReader):
    """The real reader; after the scan's first range, something happens."""

    def __init__(self, world: SenderHarness, happens: Any) -> None:
        super().__init__(world.database)
        self._happens = happens

    async def in_slots(self, app: str, slots: tuple[int, int]) -> Any:
        found = await super().in_slots(app, slots)
        if self._happens is not None and slots[1] >= 4095:
            happens, self._happens = self._happens, None
            await happens()
        return found


async def entries(world: SenderHarness, send: str) -> list[tuple[str, str]]:
    return [(m[0], m[1]) async for page in world.pages.of_send(send) for m in page.members]


async def test_a_player_that_went_to_a_person_scanned_before_is_not_missed(
    settings: Settings,
) -> None:
    async with open_world(settings) as world:
        await world.campaign()
        await world.person("ann")
        moving = "6b2a3c1e-58d4-4b8a-9a61-0f4c1f2a7d10"

        async def moves() -> None:
            """Give a player to ann, whose profile was read without it; its old owner's never had it."""
            ann = await world.database["profiles"].find_one({"_id": "ann"})
            assert ann is not None
            await world.person("ann", [*(p["id"] for p in ann["players"]), moving])
            await world.own(moving, "ann", "gone")

        send = await world.trigger()
        assert await world.planner(people=Meanwhile(world, moves)).plan_one()
        found = await entries(world, send)
        assert sorted(person for _, person in found) == ["ann", "ann"]
        assert [player for player, _ in found].count(moving) == 1
        assert (await world.sums(send)).pending == 2


async def two_owners(world: SenderHarness) -> str:
    """Store a player that profiles of two pages list: the projector is between its writes; return it."""
    await world.campaign()
    moving = "6b2a3c1e-58d4-4b8a-9a61-0f4c1f2a7d10"
    before, between, after = sorted(("ann", "bob", "eve"), key=slot_of)
    await world.person(before, [moving])
    await world.person(between)
    await world.person(after, [moving])
    await world.own(moving, after, before)
    return moving


async def test_a_player_in_pages_of_two_owners_is_sent_to_once(settings: Settings) -> None:
    async with open_world(settings, page_members=1) as world:
        moving = await two_owners(world)
        send = await world.planned()
        assert [p for p, _ in await entries(world, send)].count(moving) == 2
        sums = await world.sums(send)
        assert (sums.pending, sums.suppressed) == (2, {"moved": 1})


async def test_a_page_that_someone_else_writes_meanwhile_loses_the_player_too(
    settings: Settings,
) -> None:
    async with open_world(settings, page_members=1) as world:
        await two_owners(world)
        update = world.pages.update

        async def second(page: Any, changes: Any) -> bool:
            world.pages.update = update  # type: ignore[method-assign]
            await world.pages.make_due(page.send, page.planned_at)
            return await update(page, changes)

        world.pages.update = second  # type: ignore[method-assign]
        send = await world.planned()
        sums = await world.sums(send)
        assert (sums.pending, sums.suppressed) == (2, {"moved": 1})
