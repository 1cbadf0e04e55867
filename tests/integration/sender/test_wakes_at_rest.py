"""Wakes on old knowledge: what may lack an exit, a condition or a visit rests, and nothing else does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from tests.integration.sender.waker_harness import APP, Wakers, open_wakers
from tests.unit.sender.scenario_builders import HOUR, after, step


@pytest.fixture
async def wakers(mongo_uri: str, tmp_path: Path) -> AsyncIterator[Wakers]:
    async with open_wakers(mongo_uri, tmp_path) as opened:
        yield opened


async def test_runs_rest_on_old_knowledge_without_a_write(wakers: Wakers) -> None:
    basket = await wakers.scenario(id="basket", until=("bought",))
    welcome = await wakers.scenario(id="welcome", priority=10)
    await wakers.enter(basket, "ann", "bob")
    await wakers.enter(welcome, "cid", "bob")
    before = {id: run for id, run in (await wakers.all_runs()).items() if run.scenario == "basket"}
    wakers.knowledge.why = "the projector is behind"
    wakers.after(minutes=59)
    await wakers.look()
    assert wakers.knowledge.rests == 0, "nothing is due"
    wakers.after(minutes=1)
    await wakers.look(looks=2)
    assert wakers.knowledge.rests
    assert wakers.pushed() == {"cid": ["hour"], "bob": ["hour"]}
    assert await wakers.runs.get(before) == before
    wakers.knowledge.why = None
    await wakers.look()
    assert wakers.pushed() == {"cid": ["hour"], "bob": ["hour"], "ann": ["hour"]}


async def test_a_crowd_that_rests_keeps_nobody_behind_it_from_what_is_due(wakers: Wakers) -> None:
    bought = await wakers.scenario(id="bought", until=("bought",))
    before = await wakers.scenario(id="edited", until=("bought",))
    await wakers.enter(bought, *(f"b{n}" for n in range(5)))
    await wakers.enter(before, *(f"c{n}" for n in range(5)))
    wakers.after(minutes=1)
    await wakers.enter(await wakers.scenario(id="edited"), "late")
    await wakers.enter(await wakers.scenario(id="welcome", priority=10), "last")
    wakers.knowledge.why = "the projector is behind"
    wakers.after(minutes=60)
    one = wakers.waker()
    one.waking.due_runs.limit = 3
    await wakers.look(one, looks=3)
    assert wakers.pushed() == {"late": ["hour"], "last": ["hour"]}
    assert wakers.knowledge.rests
    wakers.knowledge.why = None
    await wakers.look(one, looks=5)
    assert len(wakers.pushed()) == 12


async def test_a_step_of_silence_rests_as_a_visit_may_be_missing(wakers: Wakers) -> None:
    await wakers.enter(await wakers.scenario(step("hour", after(60, "silence"))), "ann")
    wakers.knowledge.why = "the projector is behind"
    wakers.after(minutes=60)
    await wakers.look()
    assert (wakers.pushed(), wakers.knowledge.rests) == ({}, 1)
    seen = {"$set": {"lastSeenAt": wakers.clock()}}  # what wasn't known yet
    await wakers.context.database["profiles"].update_one({"_id": "ann"}, seen)
    wakers.knowledge.why = None
    await wakers.look()
    assert wakers.pushed() == {} and (await wakers.run_of("ann")).due == wakers.clock() + HOUR


async def test_the_oldest_due_run_shows_that_something_rests_and_then_that_nothing_does(
    wakers: Wakers,
) -> None:
    await wakers.enter(await wakers.scenario(until=("bought",)), "ann")
    wakers.knowledge.why = "the projector is behind"
    wakers.after(minutes=70)
    await wakers.look()
    assert _oldest_due() == 600
    wakers.knowledge.why = None
    await wakers.look(looks=2)
    assert (wakers.pushed(), _oldest_due()) == ({"ann": ["hour"]}, 0)


async def test_where_nothing_needs_knowledge_nothing_rests(wakers: Wakers) -> None:
    await wakers.enter(await wakers.scenario(), "ann")
    wakers.knowledge.why = "the projector is behind"
    wakers.after(minutes=60)
    await wakers.look()
    assert (wakers.pushed(), wakers.knowledge.rests) == ({"ann": ["hour"]}, 0)


def _oldest_due() -> float | None:
    return REGISTRY.get_sample_value("carillon_runs_oldest_due_seconds", {"app": APP})
