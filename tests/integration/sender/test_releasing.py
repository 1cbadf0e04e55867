"""Schedulers of two replicas, and what they must never do: release twice, or more than is allowed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from sender_service.pages.deliveries import apply
from sender_service.scheduler.scheduler import REPAIR_SECONDS, Scheduler
from sender_service.scheduler.tools import SchedulerTools
from sender_service.store.limits import budget_id
from shared.clock import utc_now
from shared.models.delivery import Delivery
from shared.mongo.collections import BUDGETS
from tests.integration.sender.two_replicas import APP, TwoReplicas, chunks_of
from tests.support.clocks import ManualClock
from tests.support.pages import ANSWER_TIMEOUT
from tests.support.providers import channel_of


async def _turns(pair: TwoReplicas, times: int = 8) -> int:
    both = [sender.scheduler().release_due for sender in pair.both]
    return sum([sum(await asyncio.gather(*(run() for run in both))) for _ in range(times)])


async def test_every_chunk_is_released_once(pair: TwoReplicas) -> None:
    players = await pair.people(45)
    send = await pair.planned()
    released = await _turns(pair)
    jobs = await pair.jobs(send)
    pages = await pair.pages(send)
    assert len(jobs) == released == sum(len(page["chunks"]) for page in pages)
    assert len(set(chunks_of(jobs))) == len(jobs) and {job.release for job in jobs} == {1}
    assert sorted(player for job in jobs for player in job.players) == sorted(players)
    assert sum(page["inFlight"] for page in pages) == len(jobs)
    counted = await pair.database[BUDGETS.name].find_one({"_id": budget_id(channel_of(APP))})
    assert counted is not None and sum(counted["minutes"].values()) == len(players)


async def test_nothing_is_released_before_all_is_planned(pair: TwoReplicas) -> None:
    await pair.people(25)
    send = await pair.trigger()
    assert await pair.one.planners()[1].plan_one()
    await pair.database["sends"].update_one({"_id": send}, {"$set": {"state": "planning"}})
    assert await _turns(pair, 2) == 0 and await pair.jobs(send) == []


async def test_released_again_is_the_same_call_again(pair: TwoReplicas) -> None:
    await pair.people(5)
    send = await pair.planned()
    assert await _turns(pair, 2) == 1
    for page in await pair.pages(send):  # as if the jobs topic had been lost 90 s ago
        long_ago = utc_now() - timedelta(seconds=200)
        changes = {f"chunks.{name}.releasedAt": long_ago for name in page["chunks"]}
        changes["dueAt"] = long_ago
        await pair.database["pages"].update_one({"_id": page["_id"]}, {"$set": changes})
    assert await _turns(pair, 3) == 1
    first, again = sorted(await pair.jobs(send), key=lambda job: job.release)
    assert (first.release, again.release) == (1, 2)
    for field in ("body", "players", "idempotency_key", "generation"):
        assert getattr(first, field) == getattr(again, field)
    counted = await pair.database[BUDGETS.name].find_one({"_id": budget_id(channel_of(APP))})
    assert counted is not None and sum(counted["minutes"].values()) == 5  # not reserved again


async def test_repeated_after_an_outage_waits_for_the_message_limit(pair: TwoReplicas) -> None:
    await pair.people(5)
    send = await pair.planned()
    assert await _turns(pair, 2) == 1
    database, long_ago = pair.database, utc_now() - timedelta(minutes=20)
    budget = {"_id": budget_id(channel_of(APP))}
    minutes = (await database[BUDGETS.name].find_one(budget) or {})["minutes"]
    await database[BUDGETS.name].update_one(
        budget, {"$set": {"minutes": dict.fromkeys(minutes, 5 * 10)}}
    )
    silent = {"chunks.0.releasedAt": long_ago, "chunks.0.reservedAt": long_ago, "dueAt": long_ago}
    await database["pages"].update_one({"send": send}, {"$set": silent})
    assert await _turns(pair, 3) == 0
    (page,) = await pair.pages(send)
    assert page["chunks"]["0"]["notBefore"] > utc_now() and page["dueAt"] > utc_now()
    await database[BUDGETS.name].update_one(budget, {"$set": {"minutes": {}}})
    due = {"chunks.0.notBefore": long_ago, "dueAt": long_ago}
    await database["pages"].update_one({"send": send}, {"$set": due})
    assert await _turns(pair, 3) == 1
    first, again = sorted(await pair.jobs(send), key=lambda job: job.release)
    assert first.idempotency_key == again.idempotency_key and first.body == again.body
    counted = await database[BUDGETS.name].find_one(budget)
    assert counted is not None and sum(counted["minutes"].values()) == 5


async def test_cancelled_between_planning_and_release_goes_nowhere(pair: TwoReplicas) -> None:
    await pair.people(15)
    send = await pair.planned()
    assert await pair.two.context.stores.sends.end(send, "cancelled")
    await pair.two.context.stores.pages.make_due(send, utc_now())
    assert await _turns(pair, 3) == 0
    sums, still_open = await pair.stores.pages.sums(send)
    assert still_open == 0 and sums.suppressed == {"cancelled": 15}
    document = await pair.stores.sends.get(send)
    assert document is not None and document.closed_at is not None
    assert document.totals == sums


async def test_who_went_away_meanwhile_is_left_out(pair: TwoReplicas) -> None:
    gone, *_ = await pair.people(5)
    send = await pair.planned()
    await pair.database["players"].update_one(
        {"_id": gone}, {"$set": {"state": "unsubscribed", "changedAt": utc_now()}}
    )
    await _turns(pair, 2)
    (job,) = await pair.jobs(send)
    assert len(job.players) == 4 and gone not in job.players
    assert (await pair.stores.pages.sums(send))[0].suppressed == {"unsubscribed": 1}


@pytest.mark.parametrize(
    ("state", "reason"), [("erased", "erased"), ("unsubscribed", "unsubscribed")]
)
async def test_who_went_away_before_a_job_was_handed_back_is_left_out(
    pair: TwoReplicas, state: str, reason: str
) -> None:
    gone, *_ = await pair.people(5)
    send = await pair.planned()
    await _turns(pair, 2)
    await _answer(pair, send, "not_called")
    await _leave(pair, gone, state)
    await _turns(pair, 2)
    first, again = sorted(await pair.jobs(send), key=lambda job: job.release)
    assert sorted(first.players) == sorted([*again.players, gone]) and gone not in again.players
    assert (await pair.stores.pages.sums(send))[0].suppressed == {reason: 1}


async def test_handed_back_job_of_nobody_ends(pair: TwoReplicas) -> None:
    players = await pair.people(2)
    send = await pair.planned()
    await _turns(pair, 2)
    await _answer(pair, send, "not_called")
    for player in players:
        await _leave(pair, player, "erased")
    assert await _turns(pair, 2) == 0
    document = await pair.stores.sends.get(send)
    assert document is not None and document.state == "done"
    assert document.totals is not None and document.totals.suppressed == {"erased": 2}


async def test_what_may_have_been_called_is_repeated_as_it_was(pair: TwoReplicas) -> None:
    gone, *_ = await pair.people(5)
    send = await pair.planned()
    await _turns(pair, 2)
    await _answer(pair, send, "no_answer")
    await _leave(pair, gone, "unsubscribed")
    await _wake(pair, send)
    await _turns(pair, 2)
    first, again = sorted(await pair.jobs(send), key=lambda job: job.release)
    assert (first.players, first.idempotency_key) == (again.players, again.idempotency_key)


async def _answer(pair: TwoReplicas, send: str, reason: str) -> None:
    """Answer every released chunk as not called, or not answered."""
    for found in await pair.pages(send):
        page = await pair.stores.pages.get(found["_id"])
        assert page is not None
        for name, chunk in page.chunks.items():
            place = {"app": APP, "send": send, "page": page.number, "chunk": name}
            place |= {"at": utc_now()}
            fields = {"outcome": "deferred", "reason": reason, "release": chunk.releases}
            apply(page, Delivery.model_validate({**place, **fields}))
        assert await pair.stores.pages.update(page, page.changes(ANSWER_TIMEOUT))


async def _wake(pair: TwoReplicas, send: str) -> None:
    """End the wait before the next try."""
    for page in await pair.pages(send):
        now = {f"chunks.{name}.notBefore": utc_now() for name in page["chunks"]}
        await pair.database["pages"].update_one(
            {"_id": page["_id"]}, {"$set": {**now, "dueAt": utc_now()}}
        )


async def _leave(pair: TwoReplicas, player: str, state: str) -> None:
    await pair.database["players"].update_one(
        {"_id": player}, {"$set": {"state": state, "changedAt": utc_now()}}
    )


async def _answered(pair: TwoReplicas) -> str:
    """Plan and answer a send as a process does that crashes before closing it; return its id."""
    await pair.people(12)
    send = await pair.planned()
    await _turns(pair, 2)
    for found in await pair.pages(send):
        page = await pair.stores.pages.get(found["_id"])
        assert page is not None
        for name in page.chunks:
            page.change_chunk(name).end("sent", None, utc_now())
        assert await pair.stores.pages.update(page, page.changes(ANSWER_TIMEOUT))
    return send


async def test_account_closes_once_with_what_the_pages_state(pair: TwoReplicas) -> None:
    send = await _answered(pair)
    repair = [sender.scheduler()._repair_sends() for sender in pair.both]
    await asyncio.gather(*repair)
    document = await pair.two.context.stores.sends.get(send)
    assert document is not None and document.state == "done"
    totals = document.totals
    assert totals is not None and totals == (await pair.stores.pages.sums(send))[0]
    assert (totals.audience, totals.sent, totals.pending) == (12, 12, 0)


async def test_a_clock_that_steps_back_keeps_no_account_open(pair: TwoReplicas) -> None:
    clock, ticks = ManualClock(utc_now()), ManualClock()
    tools = replace(
        SchedulerTools.of(pair.one.context, pair.one.budget), clock=clock, monotonic=ticks.monotonic
    )
    scheduler = Scheduler(tools)
    await scheduler._repair_sends()
    clock.advance(-90)
    send = await _answered(pair)
    ticks.advance(REPAIR_SECONDS)
    await scheduler._repair_sends()
    document = await pair.stores.sends.get(send)
    assert document is not None and document.state == "done"
