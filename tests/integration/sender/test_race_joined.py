"""Races: two persons are joined while the runs of both are due. One of them is pushed, once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from itertools import permutations
from pathlib import Path

import pytest

from ingest_service.projector.projector import Projector
from ingest_service.projector.store import MongoProjections
from shared.documents.profile import Profile
from tests.integration.sender.shop_events import basket, login
from tests.integration.sender.whole_shop import HOUR, STEP, WholeShop, open_whole_shop

Work = Callable[[], Awaitable[None]]


@pytest.fixture
async def shop(mongo_uri: str, tmp_path: Path) -> AsyncIterator[WholeShop]:
    async with open_whole_shop(mongo_uri, tmp_path) as opened:
        await opened.put(steps=[STEP])
        yield opened


async def _fill_both(shop: WholeShop, laptop: str, phone: str, who: str) -> None:
    """Begin a run of a login at its laptop and one of an unknown person at the phone; both get due."""
    await shop.fill_baskets(laptop, who=who)
    await shop.subscribe(phone)
    await shop.shop.project(basket(phone, shop.seconds + 1, "cup"))
    await shop.shop.enter(entries=shop.entries)
    shop.shop.clock.advance(HOUR)


async def _serve_all(shop: WholeShop) -> None:
    """Read, look and send for two hours: whatever waits has come by then."""
    for _ in range(5):
        await shop.shop.enter(entries=shop.entries)
        await shop.look()
        await shop.take_in()
        await shop.line.plan()
        await shop.line.work()
        shop.shop.clock.advance(1_500)


async def test_race_joined_with_both_runs_due_in_any_order(shop: WholeShop) -> None:
    # The survivor's moment, the alias's of another partition and the waker's look.
    orders = list(permutations(range(3)))
    for n, order in enumerate(orders):
        laptop, phone, who = f"laptop-{n}", f"phone-{n}", f"eva-{n}"
        await _fill_both(shop, laptop, phone, who)
        late = await shop.shop.project(basket(phone, shop.seconds + 1, "cup", "tea"))
        joined = await shop.shop.project(login(phone, shop.seconds + 1, who))
        shop.shop.log.clear()
        works: list[Work] = [
            lambda joined=joined: shop.shop.enter(*joined, entries=shop.entries),  # type: ignore[misc]
            lambda late=late: shop.shop.enter(*late, entries=shop.entries),  # type: ignore[misc]
            shop.look,
        ]
        for place in order:
            await works[place]()
        await _serve_all(shop)
        assert await _states(shop, phone, who) == ([], ["merged"], ["done"]), order
    browsers = [f"{kind}-{n}" for n, _ in enumerate(orders) for kind in ("laptop", "phone")]
    assert await shop.reached() == sorted(browsers)


async def _states(shop: WholeShop, phone: str, who: str) -> tuple[list[str], list[str], list[str]]:
    """Return who of both waits, and why the runs of the phone and of the login ended."""
    runs = shop.line.context.stores.runs
    theirs = await runs.of_person("demo", shop.shop.born(phone))
    own = await runs.of_person("demo", shop.shop.login(who))
    waiting = [run.person for run in (*theirs, *own) if run.ended is None]
    return (
        waiting,
        [run.ended.why for run in theirs if run.ended],
        [run.ended.why for run in own if run.ended],
    )


class ProjectionsInParts(MongoProjections):
    """Ends the profiles of merged persons before it writes those of the survivors, as large parts do."""

    meanwhile: Work

    async def save_profiles(self, documents: Sequence[Profile], emptied: Sequence[Profile]) -> None:
        await super().save_profiles([], emptied)
        if emptied:
            await self.meanwhile()
        await super().save_profiles(documents, [])


@pytest.mark.parametrize("has_laptop", [True, False])
async def test_race_joined_between_the_end_of_the_aliass_profile_and_the_survivors_write(
    shop: WholeShop, has_laptop: bool
) -> None:
    """Both runs are due, or the survivor has neither run nor profile yet."""
    if has_laptop:
        await _fill_both(shop, "laptop", "phone", "eva")
    else:
        await shop.subscribe("phone")
        await shop.happen(basket("phone", shop.seconds + 1, "cup"))
        shop.shop.clock.advance(HOUR)
    late = await shop.shop.project(basket("phone", shop.seconds + 1, "cup", "tea"))
    shop.shop.log.clear()
    parts, phone = ProjectionsInParts(shop.shop.database), shop.shop.born("phone")

    async def serve() -> None:
        for _ in range(3):
            await shop.shop.enter(*late, entries=shop.entries)
            await shop.look()
            await shop.take_in()
            await shop.line.plan()
            await shop.line.work()
            shop.shop.clock.advance(5)
        assert (await shop.run_of(phone)).ended is None

    parts.meanwhile = serve
    shop.shop.projector = Projector(
        parts, shop.shop.people, shop.shop.clock, publish_moments=shop.shop._publish
    )
    await shop.shop.project(login("phone", shop.seconds + 1))
    await _serve_all(shop)
    assert await _states(shop, "phone", "eva") == ([], ["merged"], ["done"])
    (own,) = await shop.line.context.stores.runs.of_person("demo", shop.shop.login("eva"))
    assert len(own.pushes) == 1
    reached = await shop.reached()
    assert len(reached) == len(set(reached)) and ("laptop" in reached) is has_laptop
