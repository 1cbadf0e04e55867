"""Simulations on a real database: what was decided, to the person; samples; crashes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from sender_service.models.decide.folded_history import FoldedHistory
from sender_service.models.decide.simulate import simulate
from sender_service.models.scenario.run import Run
from sender_service.models.scenario.simulation import Simulation
from sender_service.scenarios.build_rules import build_rules_loader
from sender_service.scenarios.simulator import Simulator
from sender_service.scenarios.tasks import LEFT_SECONDS
from sender_service.store.histories import HistoryStore
from shared.errors import Conflict, StoreUnavailable
from tests.integration.sender.shop_events import basket, login, purchase
from tests.integration.sender.simulated_shop import SimulatedShop, day_of, open_simulated_shop
from tests.integration.sender.waker_harness import StillComponent
from tests.unit.sender.scenario_builders import scenario

DAY_MINUTES = 24 * 60
REMINDERS: dict[str, Any] = {
    "until": ["bought", "emptied"],
    "again": {"days": 0},
    "steps": [
        {"id": "hour", "campaign": "one", "after": {"minutes": 60, "of": "silence"}},
        {"id": "later", "campaign": "two", "after": {"minutes": 180},
         "only": {"basket": {"total": {"atLeast": 30}}}},
    ],
}  # fmt: skip
VIEWS: dict[str, Any] = {
    "enter": {"on": "viewed"}, "until": ["bought"], "again": {"days": 0}, "maxLate": 60, "priority": 70,
    "steps": [{"id": "again", "campaign": "three", "after": {"minutes": 90}}],
}  # fmt: skip


@pytest.fixture
async def shop(mongo_uri: str, tmp_path: Path) -> AsyncIterator[SimulatedShop]:
    async with open_simulated_shop(mongo_uri, tmp_path) as opened:
        yield opened


def decisions(runs: list[Run]) -> list[tuple[Any, ...]]:
    """Return what was decided on each run, without names of firings."""
    return sorted(
        (
            run.id,
            run.entry.at,
            [(one.step, one.at) for one in run.pushes],
            [(one.step, one.why) for one in run.skipped],
            None if run.ended is None else run.ended.why,
        )
        for run in runs
    )


async def simulated(shop: SimulatedShop) -> list[Run]:
    """Simulate everybody from the histories alone."""
    context = shop.context
    rules = await build_rules_loader(context).load("demo")
    assert rules is not None
    persons = await context.stores.histories.persons("demo", 1.0)
    profiles = await context.stores.people.profiles("demo", persons)
    found: list[Run] = []
    async for history in context.stores.histories.read(persons, context.clock()):
        folded = FoldedHistory(history, profiles[history.person])
        found += simulate(folded, rules, context.clock()).runs
    return found


async def begin(shop: SimulatedShop, id: str = "basket", **fields: Any) -> Simulation:
    now = shop.wakers.clock()
    draft = replace(scenario(**fields), id=id)
    asked = Simulation(app="demo", draft=draft, since=now - timedelta(days=1), until=now)
    return await shop.context.stores.simulations.begin(asked)


async def look(one: Simulator, stop: asyncio.Event | None = None) -> None:
    await one.look(cast(Any, StillComponent()), stop or asyncio.Event())


async def get(shop: SimulatedShop, n: int = 1) -> Simulation:
    found = await shop.context.stores.simulations.get("demo", n)
    assert found is not None
    return found


@pytest.mark.parametrize("seed", range(3))
async def test_case_52_a_simulated_day_is_what_was_decided_to_the_person(
    shop: SimulatedShop, seed: int
) -> None:
    await shop.put("reminders", **REMINDERS)
    await shop.put("views", **VIEWS)
    await shop.live(day_of(seed, people=10, minutes=DAY_MINUTES), DAY_MINUTES)
    live = await shop.live_runs()
    assert sum(len(run.pushes) for run in live) >= 5
    assert decisions(await simulated(shop)) == decisions(live)
    # And counted: the day as it was.
    await begin(shop, "reminders")
    await look(shop.simulator())
    result = (await get(shop)).result
    assert result is not None and result.present is not None
    mine = [run for run in live if run.scenario == "reminders"]
    pushes = [len(run.pushes) for run in mine]
    assert sum(result.present.hours.values()) == sum(pushes)
    assert sum(times * of for times, of in result.present.people.items()) == sum(pushes)
    assert result.present.entered == len(mine)
    assert result.base.counted == result.base.persons > 0


async def test_merged_people_are_left_out(shop: SimulatedShop) -> None:
    await shop.put("basket")
    await shop.happen(basket("phone", 1))
    await shop.happen(login("phone", 2))
    await shop.happen(basket("laptop", 3))
    await begin(shop)
    await look(shop.simulator())
    done = await get(shop)
    assert done.state == "done" and done.result is not None
    base = done.result.base
    assert (base.persons, base.counted, dict(base.left_out)) == (3, 1, {"merged": 1, "gone": 1})


async def test_one_simulation_at_a_time(shop: SimulatedShop) -> None:
    await begin(shop)
    with pytest.raises(Conflict) as refused:
        await begin(shop)
    assert refused.value.code == "already_running"
    await look(shop.simulator())
    assert (await begin(shop)).n == 2
    begun = await asyncio.gather(*(begin(shop) for _ in range(3)), return_exceptions=True)
    assert all(isinstance(one, Conflict) for one in begun)


class DyingHistories:
    """Histories that aren't there when they are read."""

    def __init__(self, store: HistoryStore, error: Exception) -> None:
        self._store, self._error = store, error

    async def share(self, app: str) -> float:
        return await self._store.share(app)

    async def persons(self, app: str, share: float) -> list[str]:
        raise self._error


def dying(shop: SimulatedShop, name: str, error: Exception) -> Simulator:
    one = shop.simulator(name)
    one.histories = cast(HistoryStore, DyingHistories(one.histories, error))
    return one


async def test_simulation_of_a_process_that_died_is_done_by_another(shop: SimulatedShop) -> None:
    await shop.put("basket")
    await shop.happen(basket("phone", 1))
    await begin(shop)
    with pytest.raises(asyncio.CancelledError):
        await look(dying(shop, "dead", cast(Exception, asyncio.CancelledError())))
    other = shop.simulator("other")
    await look(other)
    assert (await get(shop)).state == "running", "its process may be alive"
    shop.wakers.after(seconds=LEFT_SECONDS + 1)
    await look(other)
    done = await get(shop)
    assert (done.state, done.tries, done.done) == ("done", 2, 1)


async def test_simulation_that_fails_each_time_ends(shop: SimulatedShop) -> None:
    await begin(shop)
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            await look(dying(shop, "one", StoreUnavailable("away")))
    await look(shop.simulator("one"))
    failed = await get(shop)
    assert (failed.state, failed.fault, failed.finished_at) == (
        "failed", "interrupted", shop.wakers.clock(),
    )  # fmt: skip
    assert (await begin(shop)).n == 2


async def test_error_fails_the_simulation(shop: SimulatedShop) -> None:
    await begin(shop)
    await look(dying(shop, "one", KeyError("bug")))
    assert (await get(shop)).fault == "faulty"


async def test_process_that_stops_gives_the_simulation_back(shop: SimulatedShop) -> None:
    await shop.put("basket")
    await shop.happen(basket("phone", 1), purchase("laptop", 1))
    await begin(shop)
    stop = asyncio.Event()

    class Stopping(StillComponent):
        def beat(self) -> None:
            stop.set()

    await shop.simulator().look(cast(Any, Stopping()), stop)
    assert ((await get(shop)).state, (await get(shop)).tries) == ("waiting", 0)
    await look(shop.simulator("other"))
    assert (await get(shop)).state == "done"
