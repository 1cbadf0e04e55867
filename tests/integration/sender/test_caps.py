"""Frequency caps: counted on people, over rolling windows, given back where nothing was sent."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta

from sender_service.account_closing import release_caps
from sender_service.store.contact_pushes import PlannedPush
from shared.models.app import Cap
from shared.settings import Settings
from tests.integration.sender.sender_harness import APP, open_world
from tests.support.pages import build_page

CAP = {"count": 1, "days": 1}


async def test_a_capped_person_gets_nothing_until_the_window_has_passed(settings: Settings) -> None:
    async with open_world(settings) as world:
        await world.campaign(cap=CAP)
        await world.person("ann")
        first = await world.planned()
        await world.delivered(first)
        second = await world.planned()
        assert (await world.sums(second)).suppressed == {"capped": 1}
        transactional = await world.planned("transactional")
        assert (await world.sums(transactional)).pending == 1
        world.clock.advance(timedelta(days=1, seconds=1).total_seconds())
        assert (await world.sums(await world.planned())).pending == 1


async def test_what_was_never_sent_is_given_back(settings: Settings) -> None:
    async with open_world(settings) as world:
        await world.campaign(cap=CAP)
        (player,) = await world.person("ann")
        await world.person("bob")
        first = await world.planned()
        invalid = [{"player": player, "outcome": "failed", "reason": "invalid_player"}]
        await world.delivered(first, players=invalid)
        assert (await world.sums(first)).sent == 1
        sums = await world.sums(await world.planned())
        assert (sums.pending, sums.suppressed) == (1, {"capped": 1})


async def test_two_sends_at_once_never_pass_the_cap(settings: Settings) -> None:
    async with open_world(settings) as world:
        people = {f"p{n}": () for n in range(150)}
        cap = Cap(count=3, days=7)
        now = world.clock()
        sends = [f"send-{n}" for n in range(8)]
        refused = await asyncio.gather(
            *(world.contacts.reserve(APP, people, PlannedPush(send, [cap], now)) for send in sends)
        )
        for person in people:
            assert sum(person not in r for r in refused) == 3
        again = await world.contacts.reserve(APP, people, PlannedPush(sends[0], [cap], now))
        assert again == refused[0]


async def test_a_repeated_planning_counts_once(settings: Settings) -> None:
    """Killed between the reservation and the page: the send's own entry doesn't stand in its way."""
    async with open_world(settings) as world:
        await world.campaign(cap=CAP)
        await world.person("ann")
        send = await world.trigger()
        cap = Cap.model_validate(CAP)
        push = PlannedPush(send, [cap], world.clock())
        assert await world.contacts.reserve(APP, {"ann": ()}, push) == set()
        assert await world.planner().plan_one()
        assert (await world.sums(send)).pending == 1


async def test_who_got_it_by_another_page_stays_counted(settings: Settings) -> None:
    # A player that changed hands meanwhile comes in a late page: passed over there, she was reached
    # in her own.
    async with open_world(settings) as world:
        await world.campaign(cap=CAP)
        await world.person("ann")
        first = await world.planned()
        await world.delivered(first)
        page = await world.pages.get(f"{first}:0")
        assert page is not None
        late = build_page(page.send, [(str(uuid.uuid4()), "ann", "")], open=False, app=APP,
                          outcomes={"0": ["suppressed", "unsubscribed"]}, capReserved=True)  # fmt: skip
        await release_caps(world.contacts, late)
        assert (await world.sums(await world.planned())).suppressed == {"capped": 1}


async def test_d9_a_login_starts_no_cap_anew(settings: Settings) -> None:
    # The visitor got a push before she logged in: her merged person has had it.
    async with open_world(settings) as world:
        await world.campaign(cap=CAP)
        (player,) = await world.person("visitor")
        await world.delivered(await world.planned())
        await world.database["profiles"].delete_one({"_id": "visitor"})
        await world.person("ann", [player], aliases=["visitor"])
        assert (await world.sums(await world.planned())).suppressed == {"capped": 1}
        transactional = await world.planned("transactional")
        assert (await world.sums(transactional)).pending == 1
        # Undone, the merge gives nobody a push more: ann's browser was the one that got it.
        await world.person("visitor", [])
        await world.person("ann", [player])
        assert (await world.sums(await world.planned())).suppressed == {"capped": 2}


async def test_d9_pushes_of_merged_persons_count_once_and_in_any_order(settings: Settings) -> None:
    async with open_world(settings) as world:
        now, day = world.clock(), Cap(count=2, days=1)
        after, third = (PlannedPush(send, [day], now) for send in ("next", "third"))
        # A send that reached both before the merge was one push to whoever they are now.
        for person in ("visitor", "other", "ann"):
            await world.contacts.reserve(APP, {person: ()}, PlannedPush("both", [day], now))
        for names in (["visitor", "other"], ["other", "visitor"]):
            assert await world.contacts.refused(APP, {"ann": names}, after) == set()
        # The send under way that began with the visitor is noted as hers, and counts once.
        await world.contacts.reserve(APP, {"visitor": ()}, after)
        for _ in range(2):
            merged = {"ann": ["other", "visitor"]}
            assert await world.contacts.reserve(APP, merged, after) == set()
        assert await world.contacts.refused(APP, merged, third) == {"ann"}
        assert await world.contacts.refused(APP, {"ann": ()}, third) == {"ann"}
