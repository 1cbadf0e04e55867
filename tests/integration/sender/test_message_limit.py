"""The message limit: reservations at once, over minutes, given back; which count it is based on."""

from __future__ import annotations

import asyncio

import pytest

from sender_service.providers.onesignal.provider import ONESIGNAL_NAME
from sender_service.scheduler.budget import MessageBudget
from sender_service.store.limits import BudgetStore, budget_id
from sender_service.store.people import PeopleReader
from shared.mongo.collections import BUDGETS
from shared.settings import GovernorSettings
from tests.integration.sender.two_replicas import APP, TwoReplicas
from tests.support.clocks import ManualClock
from tests.support.providers import WINDOW_MINUTES, Ask, build_counts, channel_of
from tests.support.stack import eventually

CHANNEL = channel_of(APP)
MARGIN = GovernorSettings().limit_margin
MARKETING = 1 - GovernorSettings().transactional_share


async def _unknown_count(app: str) -> None:
    return None


def _budget(
    pair: TwoReplicas, clock: ManualClock, which: int = 0, ask: Ask = _unknown_count
) -> MessageBudget:
    database = pair.both[which % 2].context.database
    return MessageBudget(
        store=BudgetStore(database),
        counts=build_counts(
            PeopleReader(database), pair.both[which % 2].context.apps, ask, clock.monotonic
        ),
        settings=GovernorSettings(),
        clock=clock,
    )


async def test_reservers_at_once_never_pass_the_limit(pair: TwoReplicas) -> None:
    await pair.people(30)
    clock = ManualClock()
    budgets = [_budget(pair, clock, n) for n in range(8)]

    async def reserve(budget: MessageBudget) -> int:
        granted = 0
        for calls in ([7, 7, 7], [1], [13, 2], [40]) * 2:
            count = (await budget.reserve(CHANNEL, calls, transactional=False)).calls
            granted += sum(calls[:count])
        return granted

    granted = sum(await asyncio.gather(*(reserve(budget) for budget in budgets)))
    limit = int(30 * 10 * MARGIN * MARKETING)
    assert limit - 40 < granted <= limit
    stored = await pair.database[BUDGETS.name].find_one({"_id": budget_id(CHANNEL)})
    assert stored is not None and sum(stored["minutes"].values()) == granted


async def test_part_is_kept_for_what_is_pressing(pair: TwoReplicas) -> None:
    await pair.people(10)
    budget = _budget(pair, ManualClock())
    marketing, whole = int(100 * MARGIN * MARKETING), int(100 * MARGIN)
    assert (await budget.reserve(CHANNEL, [1] * 100, transactional=False)).calls == marketing
    assert (await budget.reserve(CHANNEL, [1], transactional=False)).calls == 0
    assert CHANNEL in budget.exhausted
    assert (await budget.reserve(CHANNEL, [1] * 100, transactional=True)).calls == whole - marketing
    assert (await budget.reserve(CHANNEL, [1], transactional=True)).calls == 0


async def test_every_replica_knows_that_an_app_is_paused(pair: TwoReplicas) -> None:
    # Also when the replica that paused it is gone.
    await pair.people(1)
    clock = ManualClock()
    one, two = _budget(pair, clock, 0), _budget(pair, clock, 1)
    assert await two.exhausted_since(CHANNEL) is None
    assert (await one.reserve(CHANNEL, [7, 1], transactional=False)).calls == 1
    assert await two.exhausted_since(CHANNEL) == clock()
    clock.advance((WINDOW_MINUTES + 1) * 60)
    assert (await two.reserve(CHANNEL, [7], transactional=False)).calls == 1
    assert await one.exhausted_since(CHANNEL) is None and await two.exhausted_since(CHANNEL) is None


async def test_app_without_anybody_is_paused(pair: TwoReplicas) -> None:
    budget = _budget(pair, ManualClock())
    assert (await budget.reserve(CHANNEL, [1], transactional=True)).calls == 0
    assert await budget.exhausted_since(CHANNEL) is not None


async def test_window_is_never_shorter_than_onesignals(pair: TwoReplicas) -> None:
    await pair.people(1)
    clock = ManualClock()
    clock.advance(59)  # a minute that is nearly over counts whole
    budget = _budget(pair, clock)
    assert (await budget.reserve(CHANNEL, [7], transactional=False)).calls == 1
    for _ in range(WINDOW_MINUTES):
        clock.advance(60)
        assert (await budget.reserve(CHANNEL, [7], transactional=False)).calls == 0
    clock.advance(60)
    assert (await budget.reserve(CHANNEL, [7], transactional=False)).calls == 1
    assert CHANNEL not in budget.exhausted


async def test_calls_are_granted_from_the_first_on(pair: TwoReplicas) -> None:
    await pair.people(1)
    budget = _budget(pair, ManualClock())
    assert (await budget.reserve(CHANNEL, [3, 9, 1], transactional=False)).calls == 1
    grant = await budget.reserve(CHANNEL, [4], transactional=False)
    assert grant.calls == 1
    assert (await budget.reserve(CHANNEL, [1], transactional=False)).calls == 0
    await budget.refund(CHANNEL, grant)
    assert (await budget.reserve(CHANNEL, [4], transactional=False)).calls == 1


async def test_what_is_given_back_later_is_given_to_the_minute_it_was_taken_from(
    pair: TwoReplicas,
) -> None:
    await pair.people(1)
    clock = ManualClock()
    budget = _budget(pair, clock)
    grant = await budget.reserve(CHANNEL, [7], transactional=False)
    clock.advance(60)
    await budget.refund(CHANNEL, grant)
    assert (await budget.reserve(CHANNEL, [7], transactional=False)).calls == 1
    clock.advance(WINDOW_MINUTES * 60)  # the first minute is out of the window, the second is in it
    assert (await budget.reserve(CHANNEL, [7], transactional=False)).calls == 0
    stored = await pair.database[BUDGETS.name].find_one({"_id": budget_id(CHANNEL)})
    assert stored is not None and min(stored["minutes"].values()) >= 0


async def test_what_is_repeated_counts_when_it_is_repeated(pair: TwoReplicas) -> None:
    # Else what an outage delayed would go out beside a whole window of others.
    await pair.people(1)
    clock = ManualClock()
    budget = _budget(pair, clock)
    first = clock()
    assert (await budget.reserve(CHANNEL, [7], transactional=False)).calls == 1
    clock.advance(10 * 60)
    again = await budget.reserve(CHANNEL, [7], transactional=False, before=[first])
    assert again.calls == 1  # it fits: what was reserved for it moves
    clock.advance(WINDOW_MINUTES * 60 - 60)
    assert (await budget.reserve(CHANNEL, [1], transactional=False)).calls == 0
    await budget.refund(CHANNEL, again)
    stored = await pair.database[BUDGETS.name].find_one({"_id": budget_id(CHANNEL)})
    assert stored is not None and min(stored["minutes"].values()) >= 0
    clock.advance(10 * 60)
    assert (await budget.reserve(CHANNEL, [7], transactional=False)).calls == 1


async def test_what_is_repeated_when_its_window_is_over_is_reserved_anew(pair: TwoReplicas) -> None:
    await pair.people(1)
    clock = ManualClock()
    budget = _budget(pair, clock)
    first = clock()
    assert (await budget.reserve(CHANNEL, [4, 3], transactional=False)).calls == 2
    clock.advance((WINDOW_MINUTES + 1) * 60)
    assert (await budget.reserve(CHANNEL, [4], transactional=False)).calls == 1
    both = await budget.reserve(CHANNEL, [3, 4, 1], transactional=False, before=[first, first])
    assert both.calls == 1


async def test_clock_that_is_fast_forgets_nothing_too_soon(pair: TwoReplicas) -> None:
    """Replicas whose clocks differ by 90 s are one of the faults that are tried (docs/faults.md)."""
    await pair.people(1)
    right, fast = ManualClock(), ManualClock()
    right.advance(59)
    fast.advance(59 + 90)
    assert (await _budget(pair, right).reserve(CHANNEL, [7], transactional=False)).calls == 1
    fast.advance(15 * 60 - 1)
    assert (await _budget(pair, fast, 1).reserve(CHANNEL, [1], transactional=False)).calls == 0


@pytest.mark.parametrize(("theirs", "counted"), [(3, 3), (50, 8), (0, 0), (None, 8)])
async def test_smaller_count_is_the_base(
    pair: TwoReplicas, theirs: int | None, counted: int
) -> None:
    await pair.people(8)
    clock, asked = ManualClock(), 0

    async def ask(app: str) -> int | None:
        nonlocal asked
        asked += 1
        return theirs

    budget = _budget(pair, clock, ask=ask)
    assert budget.allowance(CHANNEL, transactional=True) == 0
    await budget.counts.refresh(CHANNEL)
    assert budget.allowance(CHANNEL, transactional=True) == int(counted * 10 * MARGIN)
    assert (
        1
        <= budget.chunk_members(APP)[ONESIGNAL_NAME]
        <= max(1, int(counted * 10 * MARGIN * MARKETING))
        or counted == 0
    )
    clock.advance(59)
    await budget.counts.refresh(CHANNEL)
    assert asked == 1
    clock.advance(1)
    await budget.counts.refresh(CHANNEL)
    assert asked == 2


async def test_nobody_waits_for_a_count_while_the_last_one_will_do(pair: TwoReplicas) -> None:
    await pair.people(30)
    clock, answer, asked = ManualClock(), asyncio.Event(), 0

    async def ask(app: str) -> int | None:
        nonlocal asked
        asked += 1
        await answer.wait()
        return asked

    budget = _budget(pair, clock, ask=ask)

    async def reserve() -> int:
        return (await budget.reserve(CHANNEL, [1], transactional=True)).calls

    async def waits() -> None:
        waiting = asyncio.create_task(reserve())
        before = asked
        await eventually(lambda: asked > before)
        assert not waiting.done()
        answer.set()
        assert await waiting == 1
        answer.clear()

    await waits()  # the first count is waited for
    clock.advance(60)
    assert await reserve() == 1 and await reserve() == 1
    await eventually(lambda: asked == 2)
    assert budget.allowance(CHANNEL, transactional=True) == int(10 * MARGIN)  # as counted first
    answer.set()
    await eventually(lambda: budget.allowance(CHANNEL, transactional=True) == int(2 * 10 * MARGIN))
    answer.clear()
    clock.advance(120)
    await waits()  # and one that is too old for the last to be gone by
    assert asked == 3
