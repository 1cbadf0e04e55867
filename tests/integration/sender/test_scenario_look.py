"""The look before a scenario's push: at planning and again at release, on the sender's own stages.

Numbers are the cases of the scenarios' design.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sender_service.models.decide.world import Product, World
from sender_service.store.outcomes import PersonFilter
from tests.integration.sender.fired_steps import WELCOME, FiredSteps
from tests.integration.sender.pipeline import open_line

BASKET = {"choose": {"from": "basket"}}
WORTH_50 = {"only": {"basket": {"total": {"atLeast": 50}}}}
NOT_SENT: dict[str, Any] = {"not_applicable": 1}


@pytest.fixture
async def shop(mongo_uri: str, tmp_path: Path) -> AsyncIterator[FiredSteps]:
    async with open_line(mongo_uri, tmp_path) as line:
        shop = FiredSteps(line)
        await shop.put()
        await shop.campaign(quietHours=False)
        yield shop


async def _buy(shop: FiredSteps) -> None:
    await shop.buy("p0", "milk")


async def _empty(shop: FiredSteps) -> None:
    await shop.empty("p0")


async def _switch_off(shop: FiredSteps) -> None:
    await shop.put(enabled=False)


async def _drop_step(shop: FiredSteps) -> None:
    await shop.put(step={"id": "other"})


async def _only_dear_baskets(shop: FiredSteps) -> None:
    await shop.put(step=WORTH_50)


async def _delete(shop: FiredSteps) -> None:
    stores = shop.line.world.stores
    assert await stores.scenarios.delete("demo", "abandoned-basket", shop.line.world.clock())


async def _end_run(shop: FiredSteps) -> None:
    ended = {"why": "ended", "at": shop.line.world.clock()}
    await shop.database["runs"].update_one({}, {"$set": {"ended": ended}})


CHANGES: list[tuple[Callable[[FiredSteps], Awaitable[None]], dict[str, int], dict[str, int]]] = [
    (_buy, {"bought": 1}, {}),  # 2
    (_empty, NOT_SENT, {"emptied": 1}),  # 5
    (_only_dear_baskets, NOT_SENT, {"exited": 1}),  # 31
    (_switch_off, NOT_SENT, {"exited": 1}),
    (_drop_step, NOT_SENT, {"exited": 1}),
    (_delete, NOT_SENT, {"exited": 1}),
    (_end_run, NOT_SENT, {"exited": 1}),
]


async def test_who_still_has_the_basket_gets_the_push(shop: FiredSteps) -> None:
    firing = await shop.planned(*await shop.people(["tea"], ["milk"]))
    assert await shop.result(firing) == (2, {}, {})


@pytest.mark.parametrize(("change", "suppressed", "details"), CHANGES)
async def test_race_edit_or_switch_off_between_claim_and_planning(
    shop: FiredSteps, change: Any, suppressed: Any, details: Any
) -> None:
    firing = await shop.fire(*await shop.people(["tea"]))
    await change(shop)
    await shop.line.plan()
    (page,) = await shop.line.pages(firing)
    assert not page.chunks  # no call is planned for her
    assert await shop.result(firing) == (0, suppressed, details)


@pytest.mark.parametrize(("change", "suppressed", "details"), CHANGES)
async def test_case_2_5_what_changes_between_planning_and_release_counts(
    shop: FiredSteps, change: Any, suppressed: Any, details: Any
) -> None:
    firing = await shop.planned(*await shop.people(["tea"]))
    await change(shop)
    assert await shop.result(firing) == (0, suppressed, details)


async def test_others_of_the_same_call_get_it(shop: FiredSteps) -> None:
    firing = await shop.planned(*await shop.people(["tea"], ["tea"], ["tea"]))
    await shop.buy("p0", "milk")
    await shop.empty("p1")
    assert await shop.result(firing) == (1, {"bought": 1, "not_applicable": 1}, {"emptied": 1})


async def test_case_6_a_chosen_item_that_she_bought(shop: FiredSteps) -> None:
    await shop.put(step={"choose": {"from": "viewed"}}, until=[])
    now = shop.line.world.clock()
    viewed = [{"item": "tea", "category": None, "at": now}]
    people = await shop.people([], [], viewed=viewed)
    firing = await shop.planned(*people)
    await shop.buy("p0", "tea")
    await shop.buy("p1", "milk")
    assert await shop.result(firing) == (1, NOT_SENT, {"bought_item": 1})


async def test_case_26_conditions_are_of_after_the_wait(shop: FiredSteps) -> None:
    await shop.put(step=WORTH_50)
    firing = await shop.fire(*await shop.people(["tea"], ["tea"]))
    await shop.change("p0", **{"basket.total": 60.0})
    await shop.line.plan()
    await shop.change("p0", **{"basket.total": 40.0})
    assert await shop.result(firing) == (0, {"not_applicable": 2}, {"exited": 2})


async def test_case_31_a_looser_condition_pushes_nobody_who_is_under_way(shop: FiredSteps) -> None:
    await shop.put(step=WORTH_50)
    firing = await shop.fire(*await shop.people(["tea"]))
    await shop.put()
    await shop.line.plan()
    assert await shop.result(firing) == (0, NOT_SENT, {"exited": 1})


async def test_case_32_another_wait_or_one_step_more_changes_nothing(shop: FiredSteps) -> None:
    firing = await shop.fire(*await shop.people(["tea"]))
    later = {**WELCOME, "id": "later"}
    await shop.put(step={"after": {"minutes": 6000, "of": "silence"}}, more=[later])
    await shop.line.plan()
    assert await shop.result(firing) == (1, {}, {})


async def test_case_33_on_again_restarts_nobody(shop: FiredSteps) -> None:
    firing = await shop.planned(*await shop.people(["tea"]))
    await shop.put(enabled=False)
    assert await shop.result(firing) == (0, NOT_SENT, {"exited": 1})
    await shop.put()
    assert await shop.line.work() == 0 and (await shop.line.account_of(firing))["sent"] == 0


@pytest.mark.parametrize(
    ("product", "detail"),
    [
        ({"in_stock": False}, "out_of_stock"),
        ({"price": 9.0}, "price_changed"),
        (None, "stale"),
    ],
)
async def test_case_45_an_item_that_changed_since(
    shop: FiredSteps, product: dict[str, Any] | None, detail: str
) -> None:
    tea = Product(id="tea", price=8.0, currency="EUR", in_stock=True, texts={"title": "Tea"})
    world = World(products={"tea": tea}, seen_at=shop.line.world.clock())
    await shop.put(step=BASKET, until=[])
    await shop.campaign("{{ item.title }}: {{ item.price }}", quietHours=False)
    people = await shop.people(["tea"])
    shop.see(world)
    firing = await shop.planned(*people)
    (page,) = await shop.line.pages(firing)
    assert [(one.item, one.price) for one in page.about(0)] == [("tea", 8.0)]
    left = {} if product is None else {"tea": replace(tea, **product)}
    shop.see(replace(world, products=left))
    assert await shop.result(firing) == (0, NOT_SENT, {detail: 1})


async def test_a_visit_begins_a_silence_anew(shop: FiredSteps) -> None:
    await shop.put(step={"after": {"minutes": 60, "of": "silence"}})
    firing = await shop.planned(*await shop.people(["tea"], ["tea"]))
    await shop.change("p0", lastSeenAt=shop.line.world.clock())
    assert await shop.result(firing) == (1, NOT_SENT, {"active": 1})


async def test_nothing_to_offer(shop: FiredSteps) -> None:
    await shop.put(step={"choose": {"from": "viewed"}})
    firing = await shop.planned(*await shop.people(["tea"]))
    assert await shop.result(firing) == (0, NOT_SENT, {"nothing_to_offer": 1})


async def test_the_chosen_item_is_a_variable_and_equal_texts_share_a_call(shop: FiredSteps) -> None:
    await shop.put(step=BASKET)
    await shop.campaign("{{ items | length }}: {{ item.id }} {{ entry.count }}", quietHours=False)
    firing = await shop.planned(*await shop.people(["tea"], ["milk"], ["tea"]))
    (page,) = await shop.line.pages(firing)
    texts = [push.text for push in await shop.line.world.pages.pushes(page)]
    assert texts == ["1: tea 1", "1: milk 1"]
    assert [page.chunk_name(n) for n in range(3)] == ["0", "1", "0"]
    assert [[one.item for one in page.about(n)] for n in range(3)] == [["tea"], ["milk"], ["tea"]]
    assert await shop.result(firing) == (3, {}, {})


async def test_a_text_without_the_item_is_one_call(shop: FiredSteps) -> None:
    await shop.put(step=BASKET)
    firing = await shop.planned(*await shop.people(["tea"], ["milk"]))
    (page,) = await shop.line.pages(firing)
    assert list(page.chunks) == ["0"] and page.about(1)[0].item == "milk"
    known = PersonFilter({"p1"}, ())
    (found,) = await shop.line.world.stores.outcomes.of_send(firing, known)
    assert found.items == ("milk",)  # as her data shows it
    await shop.buy("p1", "milk")
    assert await shop.result(firing) == (1, {"bought": 1}, {})
