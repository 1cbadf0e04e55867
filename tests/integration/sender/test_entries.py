"""Entries and exits by moments: the real projector's, on a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.integration.sender.entry_shop import EntryShop, open_entry_shop
from tests.integration.sender.scenario_stores import firing
from tests.integration.sender.shop_events import basket, login, purchase
from tests.support.clocks import START
from tests.support.ops_events import erasure, imported, undoing
from tests.support.projector_doubles import APP, by_login, event, one_signal

P = "11111111-2222-4333-8444-555555555555"
HOUR = timedelta(hours=1)


@pytest.fixture
async def shop(mongo_uri: str) -> AsyncIterator[EntryShop]:
    async with open_entry_shop(mongo_uri) as opened:
        yield opened


async def test_basket_begins_a_run_and_the_purchase_ends_it(shop: EntryShop) -> None:
    await shop.put()
    await shop.happen(basket("phone", 1))
    (run,) = await shop.runs()
    assert (run.person, run.step, run.state) == (shop.born("phone"), "hour", "waiting")
    assert run.due == START + HOUR + timedelta(seconds=1)
    await shop.happen(purchase("phone", 60))
    (run,) = await shop.runs()
    assert run.ended is not None and run.ended.at == START + timedelta(seconds=60)
    await shop.happen(basket("phone", 120, "cup"))
    assert [one.n for one in await shop.runs()] == [1, 2]


async def test_emptied_basket_ends_the_run(shop: EntryShop) -> None:
    await shop.put()
    await shop.happen(basket("phone", 1))
    await shop.happen(event("pageview", "phone", 2, basketItems=[]))
    assert await shop.ends() == [(shop.born("phone"), "emptied")]


async def test_case_3_bought_on_the_phone_with_the_basket_on_the_laptop(shop: EntryShop) -> None:
    await shop.put()
    await shop.happen(login("laptop", 1), login("phone", 2))
    await shop.happen(basket("laptop", 3))
    await shop.happen(purchase("phone", 4))
    assert await shop.ends() == [(shop.login("eva"), "bought")]
    await shop.happen(by_login("purchase", "eva", 5, id="o-2", items=[], revenue=5))
    await shop.happen(basket("laptop", 6))  # the same lines: ordered within a day
    assert len(await shop.runs()) == 1


@pytest.mark.parametrize("batches", [1, 2])
async def test_case_4_anonymous_person_becomes_a_customer_at_the_checkout(
    shop: EntryShop, batches: int
) -> None:
    await shop.put()
    await shop.happen(basket("phone", 1))
    events = [login("phone", 2), purchase("phone", 3)]
    if batches == 1:
        await shop.happen(*events)
    else:
        await shop.happen(events[0])
        await shop.happen(events[1])
    ends = dict(await shop.ends())
    assert ends == {shop.born("phone"): "merged", shop.login("eva"): "bought"}


async def test_case_7_an_order_ends_the_run_of_another_and_begins_its_own(shop: EntryShop) -> None:
    await shop.put("thanks", enter={"on": "bought"}, until=["bought"], again={"days": 0})
    await shop.happen(purchase("phone", 1))
    await shop.happen(purchase("phone", 2, "o-2", "cup"))
    assert [(run.entry.key, run.state) for run in await shop.runs()] == [
        ("o-1", "over"), ("o-2", "waiting"),
    ]  # fmt: skip


async def test_case_11_event_three_times_and_after_600_others(shop: EntryShop) -> None:
    await shop.put(again={"days": 0})
    entering, leaving = basket("phone", 1), purchase("phone", 3)
    moments = await shop.project(entering)
    await shop.enter()
    for _ in range(2):
        await shop.happen(entering)
        await shop.enter(*moments)
    await shop.happen(leaving)
    for first in range(10, 610, 100):
        await shop.happen(*(event("pageview", "phone", first + n) for n in range(100)))
    await shop.happen(entering, leaving)
    await shop.enter(*moments)
    assert await shop.ends() == [(shop.born("phone"), "bought")]


async def test_case_12_entry_while_waiting_sets_no_second_timer(shop: EntryShop) -> None:
    await shop.put()
    await shop.happen(basket("phone", 1))
    (before,) = await shop.runs()
    await shop.happen(basket("phone", 2, "cup"), basket("phone", 3, "cup", "tea"))
    assert await shop.runs() == [before]


async def test_case_29_import_and_rebuild_welcome_nobody(shop: EntryShop) -> None:
    await shop.put("welcome", enter={"on": "subscribed"}, until=[])
    await shop.happen(imported(P, 1, login="eva"))
    await shop.happen(one_signal("phone", 2, P), event("pageview", "phone", 3))
    assert not await shop.runs()  # the player isn't new
    await shop.happen(one_signal("laptop", 4, P.replace("1", "2")))
    assert [run.person for run in await shop.runs()] == [shop.born("laptop")]


async def test_case_30_event_of_three_days_ago_is_late(shop: EntryShop) -> None:
    await shop.put()
    shop.clock.advance(3 * 86_400)
    await shop.happen(basket("phone", 1))
    assert not await shop.runs()


async def test_case_35_both_waiting_and_joined_is_one_waiting_run(shop: EntryShop) -> None:
    await shop.put()
    await shop.happen(login("laptop", 1), basket("laptop", 2))
    await shop.happen(basket("phone", 3, "cup"))
    await shop.happen(login("phone", 4))
    assert dict(await shop.ends()) == {shop.born("phone"): "merged", shop.login("eva"): "waiting"}


async def test_case_36_undone_merge_fires_nothing(shop: EntryShop) -> None:
    await shop.put()
    await shop.put("known", enter={"on": "identified"}, until=[])
    await shop.happen(basket("phone", 1))
    await shop.happen(login("phone", 2))
    before = await shop.runs()
    await shop.happen(undoing("phone", 3, shop.born("phone")))
    assert len(await shop.runs()) == len(before)
    assert {run.person for run in await shop.runs()} == {shop.born("phone"), shop.login("eva")}
    # Whose basket it was has it again: her survivor's run ends, and nobody is reminded twice.
    ends = {(run.person, run.scenario): run.state for run in await shop.runs()}
    assert ends[shop.born("phone"), "basket"] == "over"


async def test_erased_person_has_no_run_and_gets_none(shop: EntryShop) -> None:
    await shop.put()
    await shop.happen(login("phone", 1), basket("phone", 2))
    late = await shop.project(basket("phone", 3, "cup"))
    shop.log.clear()
    await shop.happen(erasure("phone", 4, shop.login("eva")))
    assert not await shop.runs()
    await shop.enter(*late)
    assert not await shop.runs()
    await shop.happen(login("laptop", 5), basket("laptop", 6))  # she came back
    await shop.enter(*late)
    assert [run.entry.at for run in await shop.runs()] == [START + timedelta(seconds=6)]


async def test_erased_person_is_in_no_firing_under_way(shop: EntryShop) -> None:
    """Fire by old knowledge: after the erasure, and before the projector came to it."""
    await shop.put()
    await shop.happen(login("phone", 1), basket("phone", 2), basket("other", 2))
    runs = [run for run in await shop.runs() if run.ended is None]
    made = firing(1, *runs, app=APP, made_at=START + timedelta(seconds=40))
    over = firing(2, *runs, app=APP, state="settled")
    for one in (made, over):
        await shop.stores.firings.insert(one)
    await shop.happen(erasure("phone", 4, shop.login("eva")))
    left = await shop.stores.firings.get(made.id)
    assert left is not None and len(left.members) == 2  # others' outcomes refer to their places
    assert shop.login("eva") not in str(left) and shop.born("other") in str(left)
    assert shop.login("eva") in str(
        await shop.stores.firings.get(over.id)
    )  # for the erasure's stage


async def test_scenario_that_is_switched_on_counts_at_once(shop: EntryShop) -> None:
    await shop.put(enabled=False)
    await shop.happen(basket("phone", 1))
    await shop.put(since=shop.clock())
    await shop.happen(basket("laptop", 2))
    assert [run.person for run in await shop.runs()] == [shop.born("laptop")]


async def test_moments_of_an_unknown_app_are_dropped(shop: EntryShop) -> None:
    (moment,) = await shop.project(basket("phone", 1))
    await shop.enter(moment.model_copy(update={"app": "gone"}))
    assert not await shop.runs()
