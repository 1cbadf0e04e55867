"""Schedulers of two replicas, and what they must never do: release twice, or more than is allowed."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from sender_service.models.page import PageEdit
from sender_service.scheduler.budget import WINDOW_MINUTES, MessageBudget
from sender_service.store.people import PeopleReader
from shared.clock import utc_now
from shared.collections import BUDGETS
from shared.settings import GovernorSettings
from tests.fakes import ManualClock
from tests.integration.sender.pair import APP, Pair, chunks_of

MARGIN = GovernorSettings().margin
MARKETING = 1 - GovernorSettings().transactional_share


async def _turns(pair: Pair, times: int = 8) -> int:
    """Both schedulers at once, again and again."""
    schedulers = [sender.scheduler() for sender in pair.both]
    return sum([sum(await asyncio.gather(*(s.turn() for s in schedulers))) for _ in range(times)])


async def test_every_chunk_is_released_once(pair: Pair) -> None:
    players = await pair.people(45)
    send = await pair.planned()
    released = await _turns(pair)
    jobs = await pair.jobs(send)
    pages = await pair.pages(send)
    assert len(jobs) == released == sum(len(page["chunks"]) for page in pages)
    assert len(set(chunks_of(jobs))) == len(jobs) and {job.release for job in jobs} == {1}
    assert sorted(player for job in jobs for player in job.players) == sorted(players)
    assert sum(page["out"] for page in pages) == len(jobs)
    counted = await pair.one.database[BUDGETS.name].find_one({"_id": APP})
    assert counted is not None and sum(counted["minutes"].values()) == len(players)


async def test_nothing_is_released_before_all_is_planned(pair: Pair) -> None:
    await pair.people(25)
    send = await pair.trigger()
    assert await pair.one.planners()[1].plan_one()
    await pair.one.database["sends"].update_one({"_id": send}, {"$set": {"state": "planning"}})
    assert await _turns(pair, 2) == 0 and await pair.jobs(send) == []


async def test_swept_is_the_same_call_again(pair: Pair) -> None:
    await pair.people(5)
    send = await pair.planned()
    assert await _turns(pair, 2) == 1
    for page in await pair.pages(send):  # as if the jobs topic had been lost 90 s ago
        long_ago = utc_now() - timedelta(seconds=200)
        changes = {f"chunks.{name}.releasedAt": long_ago for name in page["chunks"]}
        await pair.one.database["pages"].update_one(
            {"_id": page["_id"]}, {"$set": {**changes, "due": long_ago}}
        )
    assert await _turns(pair, 3) == 1
    first, again = sorted(await pair.jobs(send), key=lambda job: job.release)
    assert (first.release, again.release) == (1, 2)
    for field in ("body", "players", "idempotency_key", "generation"):
        assert getattr(first, field) == getattr(again, field)
    counted = await pair.one.database[BUDGETS.name].find_one({"_id": APP})
    assert counted is not None and sum(counted["minutes"].values()) == 5  # not reserved again


async def test_cancelled_between_planning_and_release_goes_nowhere(pair: Pair) -> None:
    await pair.people(15)
    send = await pair.planned()
    assert await pair.two.sends.end(send, "cancelled", {})
    await pair.two.pages.make_due(send, utc_now())
    assert await _turns(pair, 3) == 0
    sums, still_open = await pair.one.pages.sums(send)
    assert still_open == 0 and sums["suppressed"] == {"cancelled": 15}
    document = await pair.one.sends.get(send)
    assert document is not None and document["closedAt"] is not None
    assert document["totals"] == sums


async def test_who_went_away_meanwhile_is_left_out(pair: Pair) -> None:
    gone, *_ = await pair.people(5)
    send = await pair.planned()
    await pair.one.database["players"].update_one(
        {"_id": gone}, {"$set": {"state": "unsubscribed", "changedAt": utc_now()}}
    )
    await _turns(pair, 2)
    (job,) = await pair.jobs(send)
    assert len(job.players) == 4 and gone not in job.players
    assert (await pair.one.pages.sums(send))[0]["suppressed"] == {"unsubscribed": 1}


async def test_account_closes_once_with_what_the_pages_say(pair: Pair) -> None:
    await pair.people(12)
    send = await pair.planned()
    await _turns(pair, 2)
    for found in await pair.pages(send):
        page = await pair.one.pages.get(found["_id"])
        assert page is not None
        edit = PageEdit(page, 90)
        for name in page["chunks"]:
            edit.chunk(name, state="sent", at=utc_now())
        assert await pair.one.pages.update(page, edit.finish())
    tidying = [sender.scheduler()._tidy() for sender in pair.both]
    await asyncio.gather(*tidying)
    document = await pair.two.sends.get(send)
    assert document is not None and document["state"] == "done"
    totals = document["totals"]
    assert totals is not None and totals == (await pair.one.pages.sums(send))[0]
    assert (totals["audience"], totals["sent"], totals["pending"]) == (12, 12, 0)


def _budget(pair: Pair, clock: ManualClock, which: int = 0) -> MessageBudget:
    async def nobody_says(app: str) -> None:
        return None

    database = pair.both[which % 2].database
    return MessageBudget(
        database=database, people=PeopleReader(database), ask=nobody_says, settings=GovernorSettings(),
        clock=clock, monotonic=clock.monotonic,
    )  # fmt: skip


async def test_reservers_at_once_never_pass_the_limit(pair: Pair) -> None:
    await pair.people(30)
    clock = ManualClock()
    budgets = [_budget(pair, clock, n) for n in range(8)]

    async def reserve(budget: MessageBudget) -> int:
        granted = 0
        for calls in ([7, 7, 7], [1], [13, 2], [40]) * 2:
            count = (await budget.reserve(APP, calls, transactional=False)).calls
            granted += sum(calls[:count])
        return granted

    granted = sum(await asyncio.gather(*(reserve(budget) for budget in budgets)))
    limit = int(30 * 10 * MARGIN * MARKETING)
    assert limit - 40 < granted <= limit
    stored = await pair.one.database[BUDGETS.name].find_one({"_id": APP})
    assert stored is not None and sum(stored["minutes"].values()) == granted


async def test_part_is_kept_for_what_is_pressing(pair: Pair) -> None:
    await pair.people(10)
    budget = _budget(pair, ManualClock())
    marketing, whole = int(100 * MARGIN * MARKETING), int(100 * MARGIN)
    assert (await budget.reserve(APP, [1] * 100, transactional=False)).calls == marketing
    assert (await budget.reserve(APP, [1], transactional=False)).calls == 0
    assert APP in budget.held
    assert (await budget.reserve(APP, [1] * 100, transactional=True)).calls == whole - marketing
    assert (await budget.reserve(APP, [1], transactional=True)).calls == 0


async def test_window_is_never_shorter_than_onesignals(pair: Pair) -> None:
    await pair.people(1)
    clock = ManualClock()
    clock.advance(59)  # a minute that is nearly over counts whole
    budget = _budget(pair, clock)
    assert (await budget.reserve(APP, [7], transactional=False)).calls == 1
    for _ in range(WINDOW_MINUTES):
        clock.advance(60)
        assert (await budget.reserve(APP, [7], transactional=False)).calls == 0
    clock.advance(60)
    assert (await budget.reserve(APP, [7], transactional=False)).calls == 1
    assert APP not in budget.held


async def test_calls_are_granted_from_the_first_on(pair: Pair) -> None:
    await pair.people(1)
    budget = _budget(pair, ManualClock())
    assert (await budget.reserve(APP, [3, 9, 1], transactional=False)).calls == 1
    grant = await budget.reserve(APP, [4], transactional=False)
    assert grant.calls == 1
    assert (await budget.reserve(APP, [1], transactional=False)).calls == 0
    await budget.give_back(APP, grant)
    assert (await budget.reserve(APP, [4], transactional=False)).calls == 1


async def test_what_is_given_back_later_is_given_to_the_minute_it_was_taken_from(
    pair: Pair,
) -> None:
    await pair.people(1)
    clock = ManualClock()
    budget = _budget(pair, clock)
    grant = await budget.reserve(APP, [7], transactional=False)
    clock.advance(60)
    await budget.give_back(APP, grant)
    assert (await budget.reserve(APP, [7], transactional=False)).calls == 1
    clock.advance(WINDOW_MINUTES * 60)  # the first minute is out of the window, the second is in it
    assert (await budget.reserve(APP, [7], transactional=False)).calls == 0
    stored = await pair.one.database[BUDGETS.name].find_one({"_id": APP})
    assert stored is not None and min(stored["minutes"].values()) >= 0


@pytest.mark.parametrize(("theirs", "counted"), [(3, 3), (50, 8), (0, 0), (None, 8)])
async def test_smaller_count_is_the_base(pair: Pair, theirs: int | None, counted: int) -> None:
    await pair.people(8)
    clock, asked = ManualClock(), 0

    async def ask(app: str) -> int | None:
        nonlocal asked
        asked += 1
        return theirs

    database = pair.one.database
    budget = MessageBudget(
        database=database, people=PeopleReader(database), ask=ask, settings=GovernorSettings(),
        clock=clock, monotonic=clock.monotonic,
    )  # fmt: skip
    assert budget.allowance(APP, transactional=True) == 0
    await budget.refresh(APP)
    assert budget.allowance(APP, transactional=True) == int(counted * 10 * MARGIN)
    assert (
        1 <= budget.chunk_members(APP) <= max(1, int(counted * 10 * MARGIN * MARKETING))
        or counted == 0
    )
    clock.advance(59)
    await budget.refresh(APP)
    assert asked == 1
    clock.advance(1)
    await budget.refresh(APP)
    assert asked == 2
