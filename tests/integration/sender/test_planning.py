"""Planning over replicas: a send is planned once, whoever dies in the middle of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

from shared.clock import utc_now
from tests.integration.sender.two_replicas import TwoReplicas
from tests.support.builders import build_push, page, player_id
from tests.support.documents import build_profile


def _players(pages: list[dict[str, Any]]) -> list[str]:
    return [member[0] for one in pages for member in one["members"]]


async def _kill_after(pair: TwoReplicas, pages: int) -> None:
    """Run a planner that stops dead once so many pages are there."""
    store: Any = pair.stores.pages
    inserted = 0
    insert = store.insert

    async def insert_and_die(*arguments: Any) -> bool:
        nonlocal inserted
        done: bool = await insert(*arguments)
        inserted += 1
        if inserted == pages:
            raise KeyboardInterrupt  # no handler is run, no lease given back
        return done

    store.insert = insert_and_die
    try:
        await pair.one.planners()[1].plan_one()
    except KeyboardInterrupt:
        return
    finally:
        store.insert = insert
    raise AssertionError("it was to be killed")


async def test_killed_planner_is_replaced_after_its_last_page(pair: TwoReplicas) -> None:
    players = await pair.people(57, browsers=2)
    send = await pair.trigger()
    await _kill_after(pair, 4)
    before = await pair.pages(send)
    assert len(before) == 4
    assert not await pair.two.planners()[1].plan_one(), "the lease is still held"
    await _expire_lease(pair, send)
    assert await pair.two.planners()[1].plan_one()
    after = await pair.pages(send)
    assert [p["number"] for p in after] == list(range(len(after)))
    assert [p["plannedAt"] for p in after[:4]] == [p["plannedAt"] for p in before]
    assert sorted(_players(after)) == sorted(players)
    document = await pair.two.context.stores.sends.get(send)
    assert document is not None and document.state == "sending" and document.pages == len(after)
    assert not await pair.one.planners()[1].plan_one()


async def test_list_is_resumed_without_naming_anybody_twice(pair: TwoReplicas) -> None:
    players = await pair.people(35)
    names = [{"login": f"login{n}"} for n in range(35)] + [{"visitor": f"v{n}"} for n in range(35)]
    send = await pair.trigger(recipients=names)
    await _kill_after(pair, 2)
    await _expire_lease(pair, send)
    assert await pair.two.planners()[1].plan_one()
    assert Counter(_players(await pair.pages(send))) == Counter(players)


async def test_people_named_by_each_player_count_once_also_after_a_crash(pair: TwoReplicas) -> None:
    players = await pair.people(20, browsers=2)
    bare = build_profile("bare", slot=1, login="bare", visitors=["bare"])
    await pair.database["profiles"].insert_one(dict(bare))
    by_player = [{"player": player} for player in [*players[::2], *reversed(players[1::2])]]
    names = [{"login": "bare"}, *by_player, {"visitor": "bare"}]
    send = await pair.trigger(recipients=names)
    await _kill_after(pair, 2)
    await _expire_lease(pair, send)
    assert await pair.two.planners()[1].plan_one()
    assert Counter(_players(await pair.pages(send))) == Counter(players)
    sums, _ = await pair.stores.pages.sums(send)
    assert (sums.people["pending"], sums.people["no_player"]) == (20, 1)


async def _expire_lease(pair: TwoReplicas, send: str) -> None:
    """Expire the lease as if its time had passed."""
    past = utc_now() - timedelta(seconds=1)
    await pair.database["sends"].update_one({"_id": send}, {"$set": {"planDue": past}})


async def test_planners_at_once_plan_every_send_once(pair: TwoReplicas) -> None:
    players = await pair.people(25)
    sends = [await pair.trigger() for _ in range(6)]
    planners = [p for sender in pair.both for p in sender.planners()]

    async def plan(planner: Any) -> int:
        planned = 0
        while await planner.plan_one():
            planned += 1
        return planned

    planned = await asyncio.gather(*(plan(planner) for planner in planners))
    assert sum(planned) == 6
    for send in sends:
        assert sorted(_players(await pair.pages(send))) == sorted(players)


async def test_slow_planner_that_lost_its_lease_changes_nothing(pair: TwoReplicas) -> None:
    # It wakes after another one has planned the page: neither page nor bodies are its own.
    theirs, late = page(), page([(player_id(9), "p9", "0")])
    assert await pair.stores.pages.insert(theirs, [build_push("theirs")])
    assert not await pair.two.context.stores.pages.insert(late, [build_push("late")])
    stored = await pair.stores.pages.get(theirs.id)
    assert stored is not None and stored.members == theirs.members
    assert await pair.stores.pages.pushes(stored) == [build_push("theirs")]


async def test_page_is_updated_only_as_it_was_read(pair: TwoReplicas) -> None:
    await pair.stores.pages.insert(page(), [build_push("any")])
    mine, other = [await sender.context.stores.pages.get(page().id) for sender in pair.both]
    assert mine is not None and other is not None
    assert await pair.stores.pages.update(mine, {"inFlight": 1})
    assert not await pair.two.context.stores.pages.update(other, {"inFlight": 2})
    stored = await pair.stores.pages.get(page().id)
    assert stored is not None and (stored.document["inFlight"], stored.document["rev"]) == (1, 1)


async def test_bodies_go_with_the_page_that_closes(pair: TwoReplicas) -> None:
    await pair.stores.pages.insert(page(), [build_push("any")])
    found = await pair.stores.pages.get(page().id)
    assert found is not None
    found.document["open"] = False
    assert await pair.stores.pages.update(found, {"open": False})
    assert await pair.stores.pages.pushes(found) == []


async def test_cursors_only_go_on(pair: TwoReplicas) -> None:
    await pair.people(30)
    send = await pair.planned()
    pages = await pair.pages(send)
    assert len(pages) >= 3
    cursors = [tuple(p["resumeAt"]) for p in pages if p["resumeAt"] is not None]
    assert cursors == sorted(cursors)
