"""Tests of the order of calls.

Transactional sends go before marketing, every app in each turn, a stopped app not at all.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator

import pytest

from sender_service.providers.onesignal.limits import REQUESTS_PER_SECOND
from sender_service.scheduler.scheduler import PAGES_PER_PASS
from sender_service.store.apps import AppStore
from sender_service.store.campaigns import campaign_key
from shared.mongo.collections import APPS, CAMPAIGNS, PAGES
from tests.integration.sender.two_replicas import APP, CAMPAIGN, TwoReplicas
from tests.support.documents import build_profile, store_people

OUT = 10  # calls that may be out at once in these tests
KEPT = 2  # of them, for transactional ones


@pytest.fixture
def few_out(pair: TwoReplicas) -> Iterator[None]:
    plan = pair.settings.plan
    before = plan.release_ahead_seconds
    plan.release_ahead_seconds = OUT / REQUESTS_PER_SECOND["paid"]
    yield
    plan.release_ahead_seconds = before


async def released(pair: TwoReplicas) -> Counter[str]:
    """Count released jobs by send."""
    found: Counter[str] = Counter()
    async for page in pair.database[PAGES.name].find({}):
        found[page["send"]] += sum(c["state"] == "released" for c in page["chunks"].values())
    return found


async def answered(pair: TwoReplicas, send: str, count: int) -> None:
    for page in [page for page in await pair.pages(send) if page["inFlight"]][:count]:
        changes = {f"chunks.{name}.state": "sent" for name in page["chunks"]}
        await pair.database[PAGES.name].update_one(
            {"_id": page["_id"]}, {"$set": {**changes, "inFlight": 0, "open": False}}
        )


async def test_transactional_overtakes_all_marketing_that_is_queued(
    pair: TwoReplicas, few_out: None
) -> None:
    await pair.people(300)  # thirty calls
    marketing = await pair.planned()
    scheduler = pair.one.scheduler()
    while await scheduler.release_due():
        pass
    assert await released(pair) == {marketing: OUT - KEPT}
    # Nobody answered: what is kept free takes it at once.
    urgent = await pair.planned(priority="transactional")
    await scheduler.release_due()
    assert await released(pair) == {marketing: OUT - KEPT, urgent: KEPT}
    # And every place that becomes free is its own, though marketing was there first.
    await answered(pair, marketing, 5)
    await scheduler.release_due()
    assert (await released(pair))[urgent] == KEPT + 5


async def test_what_a_scenario_triggers_overtakes_a_broadcast(
    pair: TwoReplicas, few_out: None
) -> None:
    await pair.people(300)  # thirty calls
    broadcast = await pair.planned()
    scheduler = pair.one.scheduler()
    while await scheduler.release_due():
        pass
    assert await released(pair) == {broadcast: OUT - KEPT}
    reminder = await pair.fire("login7")
    assert await pair.one.planners()[2].plan_one()
    await scheduler.release_due()
    # It is marketing to the budget: nothing is kept free for it, and calls of all are counted.
    assert await released(pair) == {broadcast: OUT - KEPT, reminder: 0}
    urgent = await pair.trigger(priority="transactional", recipients=[{"login": "login8"}])
    await answered(pair, broadcast, 2)
    await scheduler.release_due()
    assert await released(pair) == {broadcast: OUT - KEPT - 2, urgent: 1, reminder: 1}
    (job,) = await pair.jobs(reminder)
    assert job.priority == "marketing"


async def test_a_broadcast_that_is_planned_holds_no_reminder_back(pair: TwoReplicas) -> None:
    await pair.people(5)
    broadcast = await pair.trigger()
    reminder = await pair.fire("login1")
    _, _, triggered = pair.one.planners()
    assert await triggered.plan_one()
    assert not await triggered.plan_one()
    assert (len(await pair.pages(reminder)), await pair.pages(broadcast)) == (1, [])
    # An idle planner of marketing helps.
    other = await pair.fire("login2")
    assert await pair.one.planners()[1].plan_one()
    assert (len(await pair.pages(other)), await pair.pages(broadcast)) == (1, [])


async def another_app(pair: TwoReplicas, people: int) -> str:
    """Store an app with a campaign and people; return its id."""
    database, app = pair.database, f"app-{uuid.uuid4().hex[:8]}"
    stored = await database[APPS.name].find_one({"_id": APP})
    offer = await database[CAMPAIGNS.name].find_one({"_id": campaign_key(APP, CAMPAIGN)})
    assert stored is not None and offer is not None
    one_signal = {**stored["oneSignal"], "appId": str(uuid.uuid4())}
    await database[APPS.name].insert_one({**stored, "_id": app, "oneSignal": one_signal})
    key = campaign_key(app, CAMPAIGN)
    await database[CAMPAIGNS.name].insert_one({**offer, "_id": key, "app": app})
    for n in range(people):
        known = {"slot": n, "visitors": [f"{app}-v{n}"], "players": [{"id": str(uuid.uuid4())}]}
        await store_people(database, build_profile(f"{app}-{n}", app, **known))
    await pair.one.context.apps.refresh()
    return app


async def test_a_long_send_of_one_app_leaves_the_others_their_turn(
    pair: TwoReplicas, few_out: None
) -> None:
    await pair.people(300)
    long = await pair.planned()
    other = await another_app(pair, 3)
    short = await pair.planned(app=other)
    await pair.one.scheduler().release_due()
    assert await released(pair) == {long: OUT - KEPT, short: 1}


async def test_stopped_app_releases_nothing_and_goes_on_where_it_stopped(
    pair: TwoReplicas, few_out: None
) -> None:
    await pair.people(100)
    other = await another_app(pair, 1)
    send = await pair.planned()
    scheduler = pair.one.scheduler()
    assert await scheduler.release_due() == OUT - KEPT
    await answered(pair, send, 8)
    await AppStore(pair.database).stop(APP, "refused")
    await pair.one.context.apps.refresh()
    elsewhere = await pair.planned(app=other)
    assert await scheduler.release_due() == 1
    assert (await released(pair)) == {send: 0, elsewhere: 1}
    await AppStore(pair.database).resume(APP)
    await pair.one.context.apps.refresh()
    assert await scheduler.release_due() == 2  # of ten calls eight were answered
    pages = await pair.pages(send)
    assert Counter(c["state"] for p in pages for c in p["chunks"].values()) == {
        "sent": 8,
        "released": 2,
    }
    assert {c["release"] for p in pages for c in p["chunks"].values()} == {1}


async def test_a_turn_takes_some_pages_of_an_app_then_the_next_has_its_own(
    pair: TwoReplicas,
) -> None:
    # Also where the limits would allow all of them: a page takes time.
    await pair.people(10 * (PAGES_PER_PASS + 3))
    long = await pair.planned()
    assert len(await pair.pages(long)) > PAGES_PER_PASS
    short = await pair.planned(app=await another_app(pair, 3))
    scheduler = pair.one.scheduler()
    await scheduler.release_due()
    assert await released(pair) == {long: PAGES_PER_PASS, short: 1}
