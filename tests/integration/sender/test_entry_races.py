"""Entries while somebody else writes: merges, erasures, claims, and a store that is away in between."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from sender_service.models.decide.progress import end_run
from sender_service.models.scenario.run import Run, RunPush
from sender_service.scenarios.entries import Entries
from sender_service.store.runs import RunStore
from shared.errors import StoreUnavailable
from shared.models.event import Event
from tests.integration.sender.entry_shop import BASKET, EntryShop, open_entry_shop
from tests.integration.sender.shop_events import basket, login, purchase
from tests.support.clocks import START
from tests.support.documents import build_merge
from tests.support.ops_events import erasure
from tests.support.projector_doubles import event

ALMOST_DUE = 3_590  # the run is held before it is copied, so that no waker claims it
Work = Callable[[], Awaitable[None]]
TWO_STEPS = [*BASKET["steps"], {"id": "day", "campaign": "basket-2", "after": {"minutes": 1440}}]


class InterruptedRuns(RunStore):
    """Store of runs before whose n-th write something else happens, once."""

    def __init__(self, shop: EntryShop, nth: int, work: Work) -> None:
        super().__init__(shop.database)
        self.left = nth
        self._work = work

    async def insert(self, runs: Sequence[Run]) -> set[str]:
        await self._count()
        return await super().insert(runs)

    async def replace(self, run: Run) -> bool:
        await self._count()
        return await super().replace(run)

    async def replace_many(self, runs: Sequence[Run]) -> set[str]:
        await self._count()
        return await super().replace_many(runs)

    async def _count(self) -> None:
        self.left -= 1
        if self.left == 0:
            await self._work()


def interrupted(shop: EntryShop, work: Work, nth: int = 1) -> Entries:
    """Return the stage with something that happens before its n-th write."""
    return shop.entries(replace(shop.stores, runs=InterruptedRuns(shop, nth, work)))


@pytest.fixture
async def shop(mongo_uri: str) -> AsyncIterator[EntryShop]:
    async with open_entry_shop(mongo_uri) as opened:
        await opened.put(steps=TWO_STEPS)
        yield opened


async def claim(shop: EntryShop, person: str) -> None:
    """Take the first step of a person's waiting run, as a firing does."""
    (run,) = (one for one in await shop.stores.runs.of_person("demo", person) if not one.ended)
    push = RunPush(step="hour", firing="f-1", at=shop.clock())
    due = shop.clock() + timedelta(days=1)
    assert await shop.stores.runs.replace(replace(run.with_push(push), step="day", due=due))


async def test_merge_while_an_entry_is_written(shop: EntryShop) -> None:
    moments = await shop.project(basket("phone", 1))
    shop.log.clear()

    async def merge() -> None:
        await shop.happen(login("phone", 2))

    await shop.enter(*moments, entries=interrupted(shop, merge))
    ends = dict(await shop.ends())
    assert ends == {shop.born("phone"): "merged", shop.login("eva"): "waiting"}


async def test_erasure_while_an_entry_is_written(shop: EntryShop) -> None:
    moments = await shop.project(login("phone", 1), basket("phone", 2))
    shop.log.clear()

    async def erase() -> None:
        await shop.happen(erasure("phone", 3, shop.login("eva")))

    await shop.enter(*moments, entries=interrupted(shop, erase))
    assert not await shop.runs()


async def test_step_is_claimed_while_an_exit_is_written(shop: EntryShop) -> None:
    await shop.happen(basket("phone", 1))
    moments = await shop.project(purchase("phone", 2))
    await shop.enter(*moments, entries=interrupted(shop, lambda: claim(shop, shop.born("phone"))))
    (run,) = await shop.runs()
    assert run.ended is not None and run.ended.why == "bought"
    assert [push.firing for push in run.pushes] == ["f-1"]


async def test_another_replica_enters_the_same_moment(shop: EntryShop) -> None:
    moments = await shop.project(basket("phone", 1))
    await shop.enter(*moments, entries=interrupted(shop, lambda: shop.enter(*moments)))
    assert [run.n for run in await shop.runs()] == [1]


@pytest.mark.parametrize("nth", [1, 2, 3])
async def test_step_is_claimed_while_its_run_goes_over(shop: EntryShop, nth: int) -> None:
    await shop.happen(basket("phone", 1))
    moments = await shop.project(login("phone", ALMOST_DUE))
    phone, eva = shop.born("phone"), shop.login("eva")

    async def take() -> None:
        person = phone if nth == 1 else eva
        if nth != 2:  # then it is held, and hers isn't there yet
            await claim(shop, person)

    await shop.enter(*moments, entries=interrupted(shop, take, nth))
    runs = {run.person: run for run in await shop.runs() if run.ended is None}
    assert runs.keys() == {eva}
    assert [push.firing for push in runs[eva].pushes] == ([] if nth == 2 else ["f-1"])
    assert runs[eva].step == ("hour" if nth == 2 else "day")


@pytest.mark.parametrize("has_own", [False, True])
@pytest.mark.parametrize("nth", [1, 2])
async def test_race_store_is_away_between_two_writes_of_a_join(
    shop: EntryShop, nth: int, has_own: bool
) -> None:
    phone, eva = shop.born("phone"), shop.login("eva")
    if has_own:
        await shop.happen(login("laptop", 1), basket("laptop", 2))
    await shop.happen(basket("phone", 3))
    await claim(shop, phone)
    moments = await shop.project(login("phone", 4))

    async def fail() -> None:
        raise StoreUnavailable("away")

    with pytest.raises(StoreUnavailable):
        await shop.enter(*moments, entries=interrupted(shop, fail, nth))
    for one in await shop.runs():
        assert one.ended or one.person == eva or one.due > shop.clock() + timedelta(minutes=2)
    await shop.enter(*moments)
    (run,) = (one for one in await shop.runs() if one.ended is None)
    assert (run.person, run.step, len(run.pushes)) == (eva, "day", 1)
    await shop.enter(*moments)
    assert len([one for one in await shop.runs() if one.ended is None]) == 1


async def test_copy_that_is_over_is_not_made_again(shop: EntryShop) -> None:
    await shop.happen(basket("phone", 1))
    moments = await shop.project(login("phone", ALMOST_DUE))

    async def fail() -> None:
        raise StoreUnavailable("away")

    with pytest.raises(StoreUnavailable):
        await shop.enter(*moments, entries=interrupted(shop, fail, 3))
    (copy,) = (one for one in await shop.runs() if one.person == shop.login("eva"))
    assert await shop.stores.runs.replace(end_run(copy, "emptied", shop.clock()))
    await shop.enter(*moments)
    ends = dict(await shop.ends())
    assert ends == {shop.born("phone"): "merged", shop.login("eva"): "emptied"}


async def test_late_moment_of_a_merged_person_is_the_survivors(shop: EntryShop) -> None:
    late = await shop.project(basket("phone", 1))
    shop.log.clear()
    await shop.happen(login("phone", 2))
    await shop.enter(*late)
    assert await shop.ends() == [(shop.login("eva"), "waiting")]


async def test_nothing_ends_while_the_survivor_is_not_written(shop: EntryShop) -> None:
    await shop.happen(login("laptop", 1), event("pageview", "laptop", 2))
    await shop.happen(basket("phone", 3))
    late = await shop.project(basket("phone", 4, "cup"))
    phone, eva = shop.born("phone"), shop.login("eva")
    profiles, merges = shop.database["profiles"], shop.database["merges"]
    await merges.insert_one(dict(build_merge(phone, eva, shop.clock())))
    gone = await profiles.find_one_and_delete({"_id": phone})
    await shop.enter(*late)
    assert await shop.ends() == [(phone, "waiting")] and shop.slept > 0
    # Then the survivor's profile is written, and its moment comes.
    assert gone is not None
    await profiles.insert_one(gone)
    await merges.delete_one({"_id": phone})
    await shop.happen(login("phone", 5))
    assert dict(await shop.ends()) == {phone: "merged", eva: "waiting"}


async def test_full_profile_takes_over_by_the_fact_alone(shop: EntryShop) -> None:
    await shop.happen(basket("phone", 1))
    moments = await shop.project(login("phone", 2))
    await shop.database["profiles"].update_one(
        {"_id": shop.login("eva")}, {"$set": {"aliases": []}}
    )
    await shop.enter(*moments)
    ends = dict(await shop.ends())
    assert ends == {shop.born("phone"): "merged", shop.login("eva"): "waiting"}


async def test_person_with_neither_profile_nor_merge_is_gone(shop: EntryShop) -> None:
    await shop.happen(basket("phone", 1))
    moments = await shop.project(basket("phone", 2, "cup"))
    await shop.database["profiles"].delete_one({"_id": shop.born("phone")})
    await shop.enter(*moments)
    assert not await shop.runs() and shop.slept > 0


@pytest.mark.parametrize("nth", [1, 2])
async def test_race_store_is_away_between_an_end_and_a_begin(shop: EntryShop, nth: int) -> None:
    await shop.happen(basket("phone", 1))
    events: list[Event] = [purchase("phone", 2), basket("phone", 3, "cup")]
    moments = await shop.project(*events)

    async def fail() -> None:
        raise StoreUnavailable("away")

    with pytest.raises(StoreUnavailable):
        await shop.enter(*moments, entries=interrupted(shop, fail, nth))
    for _ in range(2):
        await shop.enter(*moments)
    first, second = await shop.runs()
    assert first.ended is not None and first.ended.at == START + timedelta(seconds=2)
    assert (second.n, second.state) == (2, "waiting")
