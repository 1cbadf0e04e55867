"""Crashes at every write, of any number of wakers: no step comes twice, and none is lost."""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from sender_service.models.scenario.run import Run
from sender_service.models.scenario.scenario import Scenario
from sender_service.scenarios.waker import Waker
from tests.integration.sender.dying_stores import Fuse, Killed
from tests.integration.sender.waker_harness import (
    MISSED_BEATS,
    Wakers,
    open_wakers,
    shifted,
)
from tests.unit.sender.scenario_builders import APP_GAP, after, step

SEEDS = int(os.environ.get("SEEDS") or 20)  # a hundred are `make test-crashes`: two minutes
SEEDS_A_TEST = 10
TURNS = 16  # of a quarter of an hour: the last step is due after four hours, if nothing delays it
LAST_LOOKS = 6
PEOPLE = ("ann", "bob", "cid")
OUTCOMES = (["sent"], ["suppressed", "holdout"], ["suppressed", "capped"], ["failed", "rejected"])


@pytest.fixture
async def wakers(mongo_uri: str, tmp_path: Path) -> AsyncIterator[Wakers]:
    async with open_wakers(mongo_uri, tmp_path) as opened:
        yield opened


@pytest.mark.parametrize("first", range(0, SEEDS, SEEDS_A_TEST))
async def test_case_10_each_step_is_pushed_once_whatever_crashes(
    wakers: Wakers, first: int
) -> None:
    for seed in range(first, first + SEEDS_A_TEST):
        await _run_with_crashes(wakers, random.Random(seed))
        for name in ("runs", "firings", "wakers", "sends", "pages"):
            await wakers.context.database[name].delete_many({})
        wakers.log.records.clear()
        wakers.after(days=1)


async def _run_with_crashes(wakers: Wakers, chance: random.Random) -> None:
    """Walk people through two scenarios while wakers die, then check what was published."""
    high = await wakers.scenario(step("a"), step("b", after(60)), id="high", priority=90)
    low = await wakers.scenario(step("c"), step("d", after(0)), id="low")
    await wakers.enter(high, *PEOPLE)
    await wakers.enter(low, *PEOPLE[:2])
    for n in range(TURNS):
        skew = chance.choice([0.0, 0.0, 90.0, -90.0])
        fuse = Fuse(chance.randint(1, 8)) if chance.random() < 0.5 else None
        one = wakers.waker(f"waker-{n}", fuse, shifted(wakers.clock, skew))
        with suppress(Killed):
            await _look_twice(wakers, one)
            if chance.random() < 0.5:
                await one.leases.give_up()
        await _end_some_sends(wakers, chance)
        wakers.after(minutes=15)
    last = wakers.waker("last")
    for _ in range(LAST_LOOKS):
        await _look_twice(wakers, last)
        await _end_some_sends(wakers, chance, all_of_them=True)
        wakers.after(minutes=90)
        await wakers.look(last, looks=3)
        if all(run.ended for run in (await wakers.all_runs()).values()):
            break
    await _check(wakers, high, low)


async def _look_twice(wakers: Wakers, waker: Waker) -> None:
    """Look, and again when the waker knows whether the app's last one lives."""
    await wakers.look(waker)
    wakers.after(seconds=MISSED_BEATS)
    await wakers.look(waker)


async def _end_some_sends(
    wakers: Wakers, chance: random.Random, *, all_of_them: bool = False
) -> None:
    """Let sends of published triggers end, each person's with any outcome."""
    sends = wakers.context.stores.sends
    for id, trigger in wakers.triggers().items():
        if (all_of_them or chance.random() < 0.3) and await sends.get(id) is None:
            people = [one["person"] for one in trigger["recipients"]]
            await wakers.end_send(id, {name: chance.choice(OUTCOMES) for name in people})


async def _check(wakers: Wakers, *scenarios: Scenario) -> None:
    runs = await wakers.all_runs()
    pushed = [
        (one["person"], trigger["scenario"]["step"])
        for trigger in wakers.triggers().values()
        for one in trigger["recipients"]
    ]
    assert len(pushed) == len(set(pushed)), "no step twice"
    assert set(await wakers.states()) <= {"settled", "late"}
    for run in runs.values():
        (own,) = [one for one in scenarios if one.id == run.scenario]
        _check_run(run, own, {name for person, name in pushed if person == run.person})
    for person in PEOPLE:
        _check_gaps(run for run in runs.values() if run.person == person)


def _check_run(run: Run, own: Scenario, pushed: set[str]) -> None:
    """Check that each step was pushed or skipped once, and that the run is over."""
    assert run.ended is not None and run.ended.why == "done"
    steps = [push.step for push in run.pushes] + [one.step for one in run.skipped]
    assert sorted(steps) == sorted(one.id for one in own.steps)
    assert {push.step for push in run.pushes} <= pushed, "what counts as pushed was published"


def _check_gaps(runs: Iterable[Run]) -> None:
    """Check that a person's pushes are as far apart as the app says, but for clocks that differ."""
    times = sorted(push.at for run in runs for push in run.pushes)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert all(gap >= APP_GAP - timedelta(minutes=3) for gap in gaps)
