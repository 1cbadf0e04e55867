"""Races: what happens between any two stages, from the event to the call. One firing serves all people."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.sender.whole_shop import HOUR, NEXT, STAGES, STEP, WholeShop, open_whole_shop

UNDISTURBED = "undisturbed"  # browser to which nothing happens
NEVER = {"basket": {"total": {"atLeast": 1_000}}}


@pytest.fixture
async def shop(mongo_uri: str, tmp_path: Path) -> AsyncIterator[WholeShop]:
    async with open_whole_shop(mongo_uri, tmp_path) as opened:
        await opened.fill_baskets(UNDISTURBED)
        yield opened


@pytest.mark.parametrize("reads_moments", [True, False])
async def test_race_a_purchase_between_any_two_stages(shop: WholeShop, reads_moments: bool) -> None:
    shop.reads_moments = reads_moments  # else the profile alone tells of it
    await shop.fill_baskets(*STAGES)
    await shop.serve(shop.buy)
    assert await shop.reached() == [UNDISTURBED]
    for stage in STAGES:
        runs = await shop.line.context.stores.runs.of_person(
            "demo", shop.shop.login(f"eva-of-{stage}")
        )
        assert [(run.pushes, run.ended and run.ended.why) for run in runs] in (
            [], [((), "bought")],
        ), stage  # fmt: skip


async def test_race_a_player_that_changes_hands_between_any_two_stages(shop: WholeShop) -> None:
    await shop.fill_baskets(*STAGES)

    async def change_hands(stage: str) -> None:
        await shop.log_in(stage, f"adam-of-{stage}")

    await shop.serve(change_hands)
    assert await shop.reached() == [UNDISTURBED]


async def test_race_an_erasure_under_an_open_firing(shop: WholeShop) -> None:
    await shop.fill_baskets(*STAGES)
    persons = {stage: shop.shop.login(f"eva-of-{stage}") for stage in STAGES}

    async def erase(stage: str) -> None:
        await shop.erase(persons[stage], stage)

    await shop.serve(erase)
    assert await shop.reached() == [UNDISTURBED]
    text = await _all_but_tombstones(shop)
    assert shop.shop.login(f"eva-of-{UNDISTURBED}") in text
    for stage, person in persons.items():
        assert person not in text, stage


@pytest.mark.parametrize("stage", ["insert", "claim", "publish", "intake", "planning"])
async def test_race_a_campaign_is_switched_off_before_the_planning(
    shop: WholeShop, stage: str
) -> None:
    # The push is given back by name, and the next step comes once the campaign is on again.
    await _serve_with(shop, stage, lambda: shop.campaign(enabled=False))
    assert await shop.reached() == []
    assert await _first_step(shop) == ([], ["campaign_disabled"])
    await shop.campaign()
    shop.shop.clock.advance(24 * HOUR)
    await shop.serve()
    assert await shop.reached() == [UNDISTURBED]


@pytest.mark.parametrize("stage", ["claim", "publish", "intake", "planning", "release"])
async def test_race_an_edit_or_a_switch_off_between_claim_and_release(
    shop: WholeShop, stage: str
) -> None:
    # Whoever is under way is stopped, and going back to the former steps brings nothing back.
    is_off = stage in ("claim", "intake", "release")
    change = {"enabled": False} if is_off else {"steps": [{**STEP, "only": NEVER}, NEXT]}
    await _serve_with(shop, stage, lambda: shop.put(**change))
    assert await shop.reached() == []
    assert await _first_step(shop) == ([], ["exited"])
    await shop.put()
    await shop.serve()
    assert await shop.reached() == []


async def _serve_with(shop: WholeShop, stage: str, work: Callable[[], Awaitable[None]]) -> None:
    async def act(now: str) -> None:
        if now == stage:
            await work()

    await shop.serve(act)


async def _first_step(shop: WholeShop) -> tuple[list[str], list[str]]:
    """Return the pushes of the run of whom nothing happened to, and why steps were skipped."""
    run = await shop.run_of(shop.shop.login(f"eva-of-{UNDISTURBED}"))
    return [push.step for push in run.pushes], [one.why for one in run.skipped]


async def _all_but_tombstones(shop: WholeShop) -> str:
    """Return all that is stored in runs, firings, sends, pages and profiles."""
    names = ("runs", "firings", "sends", "pages", "contacts", "profiles", "histories")
    database: Any = shop.line.context.database
    return str([[one async for one in database[name].find({})] for name in names])
