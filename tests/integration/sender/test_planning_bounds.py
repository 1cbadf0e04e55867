"""A send that always ends its process, or whose texts take too much, is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from sender_service.models.send import NEVER
from sender_service.planner.rendering import PLANNED_SEND_STEPS
from shared.clock import utc_now
from shared.errors import StoreUnavailable
from tests.integration.sender.two_replicas import TwoReplicas
from tests.support.builders import campaign, variant

DEAR = "{% for a in range(900) %}{% for b in range(17) %}{% endfor %}{% endfor %}{{ profile.db.x }}"
Insert = Callable[..., Awaitable[bool]]


async def _expire_lease(pair: TwoReplicas, send: str) -> None:
    past = utc_now() - timedelta(seconds=1)
    await pair.database["sends"].update_one(
        {"_id": send, "planDue": {"$lt": NEVER}}, {"$set": {"planDue": past}}
    )


async def _begin(pair: TwoReplicas, send: str, ending: BaseException, pages: int = 0) -> None:
    """Plan, and end so after so many pages; then the lease ends too."""
    store: Any = pair.stores.pages
    insert: Insert = store.insert
    inserted = 0

    async def insert_or_end(*arguments: Any) -> bool:
        nonlocal inserted
        if inserted == pages:
            raise ending
        inserted += 1
        return await insert(*arguments)

    store.insert = insert_or_end
    try:
        with pytest.raises(type(ending)):
            await pair.one.planners()[1].plan_one()
    finally:
        store.insert = insert
    await _expire_lease(pair, send)


async def _document(pair: TwoReplicas, send: str) -> dict[str, Any]:
    found: Any = await pair.database["sends"].find_one({"_id": send})
    return dict(found)


async def test_a3_a_send_that_was_begun_three_times_without_a_page_is_refused(
    pair: TwoReplicas,
) -> None:
    await pair.people(25)
    send = await pair.trigger()
    for _ in range(3):
        await _begin(pair, send, KeyboardInterrupt())
    assert await pair.two.planners()[1].plan_one()
    document = await _document(pair, send)
    assert document["state"] == "refused"
    assert document["error"].startswith("planning_stalled: ")
    assert not await pair.pages(send)


async def test_a3_a_send_that_goes_on_is_begun_as_often_as_it_takes(pair: TwoReplicas) -> None:
    players = await pair.people(65)
    send = await pair.trigger()
    for _ in range(5):
        await _begin(pair, send, KeyboardInterrupt(), pages=1)
    assert await pair.two.planners()[1].plan_one()
    document = await _document(pair, send)
    assert document["state"] == "sending"
    found = [member[0] for page in await pair.pages(send) for member in page["members"]]
    assert sorted(found) == sorted(players)


async def test_a3_begins_without_a_page_count_from_the_last_page_on(pair: TwoReplicas) -> None:
    await pair.people(65)
    send = await pair.trigger()
    await _begin(pair, send, KeyboardInterrupt(), pages=2)
    for _ in range(3):
        await _begin(pair, send, KeyboardInterrupt())
    assert await pair.two.planners()[1].plan_one()
    document = await _document(pair, send)
    assert document["state"] == "refused" and len(await pair.pages(send)) == 2


async def test_a3_an_absent_database_is_no_fault_of_the_sends(pair: TwoReplicas) -> None:
    await pair.people(25)
    send = await pair.trigger()
    planner = pair.one.planners()[1]
    store: Any = pair.stores.pages
    insert: Insert = store.insert

    async def gone(*_: Any) -> bool:
        raise StoreUnavailable("gone")

    for _ in range(5):
        store.insert = gone
        with pytest.raises(StoreUnavailable):
            await planner.plan_one()
        store.insert = insert
        await _expire_lease(pair, send)
    assert await planner.plan_one()
    assert (await _document(pair, send))["state"] == "sending"


async def _put(pair: TwoReplicas, text: str) -> None:
    await pair.stores.campaigns.put(campaign(variant(contents={"en": text})))


async def test_a3_a_send_whose_texts_take_too_much_is_refused(pair: TwoReplicas) -> None:
    people = PLANNED_SEND_STEPS // 80_000
    await pair.people(people, db={"x": "1"})
    await _put(pair, DEAR)
    send = await pair.planned()
    document = await _document(pair, send)
    assert document["state"] == "refused"
    assert document["error"].startswith("texts_too_dear: ")


async def test_a3_the_loop_gets_its_turn_and_the_lease_is_renewed_while_dear_texts_are_rendered(
    pair: TwoReplicas,
) -> None:
    await pair.people(150, db={"x": "1"})
    await _put(pair, DEAR)
    send = await pair.trigger()
    planning = asyncio.create_task(pair.one.planners()[1].plan_one())
    turns = 0
    while not planning.done():
        await asyncio.sleep(0)
        turns += 1
    assert await planning
    assert (await _document(pair, send))["state"] == "sending"
    assert turns > 100


async def test_a3_dear_transactional_sends_are_left_to_the_planner(pair: TwoReplicas) -> None:
    # They don't delay the batch that brought them; nothing of them is lost.
    await pair.people(5, db={"x": "1"})
    await _put(pair, DEAR)
    few = [{"login": "login0"}]
    many = [{"login": f"login{n}"} for n in range(5)]
    quick = await pair.trigger(priority="transactional", recipients=few)
    slow = await pair.trigger(priority="transactional", recipients=many)
    assert (await _document(pair, quick))["state"] == "sending"
    assert (await _document(pair, slow))["state"] == "planning"
    assert await pair.two.planners()[0].plan_one()
    assert (await _document(pair, slow))["state"] == "sending"
