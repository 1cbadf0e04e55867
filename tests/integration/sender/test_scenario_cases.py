"""Cases of the scenarios' design from the event to the firing: projector, entries, waker."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.integration.sender.shop_events import basket, purchase
from tests.integration.sender.simulated_shop import PLAYER, SimulatedShop, open_simulated_shop
from tests.integration.sender.waker_harness import APP, MISSED_BEATS
from tests.support.builders import build_app
from tests.support.clocks import START
from tests.support.ops_events import imported
from tests.support.projector_doubles import event, one_signal

HOUR = 3_600
DAY = 24 * HOUR
ANN = "ann"
IMPORTED, IMPORTED_AT_ONCE = 1_000, 500  # of 100,000: no number of them is a batch's or a page's


@pytest.fixture
async def shop(mongo_uri: str, tmp_path: Path) -> AsyncIterator[SimulatedShop]:
    async with open_simulated_shop(mongo_uri, tmp_path) as opened:
        # Without a night, but for the tests of it.
        opened.context.apps.take([build_app().model_copy(update={"quiet_hours": False})])
        await opened.happen(one_signal(ANN, 0, PLAYER.format(1)))
        yield opened


async def _pushes(shop: SimulatedShop) -> list[tuple[str, datetime]]:
    return [(one.step, one.at) for run in await shop.live_runs() for one in run.pushes]


async def _ends(shop: SimulatedShop) -> list[str | None]:
    return [None if run.ended is None else run.ended.why for run in await shop.live_runs()]


async def test_case_1_bought_a_second_before_due(shop: SimulatedShop) -> None:
    await shop.put("basket")
    await shop.live([basket(ANN, 1), purchase(ANN, HOUR, item="cup")], 180)
    assert await _ends(shop) == ["bought"] and not shop.wakers.triggers()


async def test_case_8_last_years_order_does_not_exit(shop: SimulatedShop) -> None:
    await shop.put("basket")
    await shop.happen(purchase(ANN, -365 * DAY, "o-0", "cup"))
    await shop.live([basket(ANN, 10)], 180)
    assert await _pushes(shop) == [("hour", START + timedelta(seconds=HOUR + 10))]


async def test_case_14_paused_and_resumed(shop: SimulatedShop) -> None:
    # Off before it was due, a step comes; off when it was due, never, but the next one.
    again = {"id": "again", "campaign": "basket-1", "after": {"minutes": 120}}
    steps = [{"id": "hour", "campaign": "basket-1", "after": {"minutes": 60}}, again]
    await shop.put("basket", steps=[*steps, {**again, "id": "last"}])
    await shop.live([basket(ANN, 1)], 10)
    await _switch(shop, False)
    await shop.live([], 50)
    await _switch(shop, True)
    await shop.live([], 70)
    assert [step for step, _ in await _pushes(shop)] == ["hour"]
    await _switch(shop, False)
    await shop.live([], 190)
    await _switch(shop, True)
    await shop.live([], 400)
    (run,) = await shop.live_runs()
    assert [one.step for one in run.pushes] == ["hour", "last"]
    assert [(one.step, one.why) for one in run.skipped] == [("again", "off")]


async def _switch(shop: SimulatedShop, enabled: bool) -> None:
    scenarios = shop.context.stores.scenarios
    found = await scenarios.get(APP, "basket")
    assert found is not None
    await scenarios.put(replace(found, enabled=enabled), shop.wakers.clock())


@pytest.mark.parametrize("zone", [None, "Mars/Base"])
async def test_case_21_without_a_known_zone_nobody_is_pushed_at_the_apps_night(
    shop: SimulatedShop, zone: str | None
) -> None:
    shop.context.apps.take([build_app().model_copy(update={"time_zone": "Europe/Prague"})])
    await shop.put("basket", maxLate=1_440)
    entering = basket(ANN, 8 * HOUR)  # the hour is over at 22:00 in Prague
    named = entering.model_copy(update={"data": {**entering.data, "timeZone": zone}})
    await shop.live([named], 24 * 60)
    assert await _pushes(shop) == [("hour", START.replace(day=2, hour=7))]


async def test_case_23_a_page_every_50_minutes_postpones_a_silence_of_60(
    shop: SimulatedShop,
) -> None:
    wait = {"minutes": 60, "of": "silence"}
    await shop.put("basket", steps=[{"id": "hour", "campaign": "basket-1", "after": wait}])
    pages = [event("pageview", ANN, 50 * 60 * n, itemID="tea") for n in range(1, 8)]
    await shop.live([basket(ANN, 1), *pages], 12 * 60)
    assert await _pushes(shop) == [("hour", START + timedelta(minutes=7 * 50 + 60))]


async def test_case_24_a_restart_loses_no_wait(shop: SimulatedShop) -> None:
    # Each look is by another process, none of which stopped cleanly.
    day = {"id": "day", "campaign": "basket-1", "after": {"minutes": 1_440}}
    hour = {"id": "hour", "campaign": "basket-1", "after": {"minutes": 60}}
    await shop.put("basket", steps=[hour, day])
    await shop.happen(basket(ANN, 1))
    for n in range(2 * 26):
        shop.wakers.after(minutes=30)
        process = shop.wakers.waker(f"process-{n}")
        await shop.wakers.look(process)
        shop.wakers.after(seconds=MISSED_BEATS)  # then it takes what the one before left
        await shop.wakers.look(process)
        await shop.deliver()
    steps = [(step, (at - START) // timedelta(hours=1)) for step, at in await _pushes(shop)]
    assert steps == [("hour", 1), ("day", 25)]


async def test_case_29_an_import_of_many_welcomes_nobody(shop: SimulatedShop) -> None:
    """Players of an import, of whom some have a browser that comes later."""
    await shop.put("welcome", enter={"on": "subscribed"}, until=[])
    await shop.put("known", enter={"on": "identified"}, until=[])
    players = [PLAYER.format(1_000 + n) for n in range(IMPORTED)]
    for first in range(0, IMPORTED, IMPORTED_AT_ONCE):
        some = players[first : first + IMPORTED_AT_ONCE]
        await shop.happen(*(imported(one, 1, login=f"login-{one}") for one in some))
    await shop.happen(*(one_signal(f"of-{one}", 2, one) for one in players[::100]))
    await shop.live([], 180)
    assert not await shop.live_runs() and not shop.wakers.triggers()
    await shop.happen(one_signal("new", 181 * 60, PLAYER.format(2)))
    assert [run.scenario for run in await shop.live_runs()] == ["welcome"]
