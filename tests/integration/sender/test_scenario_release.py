"""Release of a scenario's pushes: after a night, over a merge, on old knowledge, and its account."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from sender_service.models.policy import Gap
from sender_service.store.contact_pushes import PlannedPush
from sender_service.store.outcomes import PersonFilter
from tests.integration.sender.fired_steps import FiredSteps
from tests.integration.sender.pipeline import open_line
from tests.support.documents import build_merge
from tests.unit.sender.scenario_builders import HOUR

NOT_SENT = {"not_applicable": 1}


@pytest.fixture
async def shop(mongo_uri: str, tmp_path: Path) -> AsyncIterator[FiredSteps]:
    async with open_line(mongo_uri, tmp_path) as line:
        shop = FiredSteps(line)
        zone = {"$set": {"timeZone": "Etc/UTC"}}  # quiet hours ask for it
        await shop.database["apps"].update_one({}, zone)
        await shop.put()
        await shop.campaign(quietHours=False)
        yield shop


async def test_what_was_bought_in_the_night_is_not_reminded_of(shop: FiredSteps) -> None:
    await shop.database["apps"].update_one({}, {"$set": {"timeZone": "Etc/UTC"}})
    await shop.campaign(quietHours={"from": "13:30", "to": "15:00"})
    firing = await shop.planned(*await shop.people(["tea"], ["tea"], timeZone="Etc/UTC"))
    shop.line.world.clock.advance(1800)
    assert await shop.line.work() == 0
    shop.line.world.clock.advance(1800)
    await shop.buy("p0", "tea")
    shop.line.world.clock.advance(3600)
    assert await shop.result(firing) == (1, {"bought": 1}, {})


@pytest.mark.parametrize("is_first", [True, False])
async def test_of_two_that_meet_a_night_one_leaves_in_the_morning(
    shop: FiredSteps, *, is_first: bool
) -> None:
    world = shop.line.world
    await shop.campaign(quietHours={"from": "13:30", "to": "15:00"})
    firing = await shop.planned(*await shop.people(["tea"], timeZone="Etc/UTC"))
    world.clock.advance(1800)
    morning = world.clock() + timedelta(minutes=90)
    if is_first:
        assert await shop.line.work() == 0  # it waits, and is noted for the morning
    world.clock.advance(2400)
    other = PlannedPush("by-clock", [Gap(HOUR)], world.clock(), {"p0": morning})
    refused = await world.contacts.reserve("demo", {"p0": ()}, other)
    assert refused == ({"p0"} if is_first else set())
    assert await shop.line.work() == 0
    world.clock.advance(3000)
    sent, suppressed, _ = await shop.result(firing)
    assert (sent, suppressed) == ((1, {}) if is_first else (0, {"capped": 1}))


async def test_a_purchase_of_the_person_whom_she_was_merged_into(shop: FiredSteps) -> None:
    firing = await shop.planned(*await shop.people(["tea"]))
    await _merge(shop, names=True)
    await shop.buy("login", "milk")
    assert await shop.result(firing) == (0, {"bought": 1}, {})


async def test_a_merge_that_the_profile_does_not_show_yet_is_waited_for(shop: FiredSteps) -> None:
    firing = await shop.planned(*await shop.people(["tea"]))
    await _merge(shop, names=False)
    assert await shop.line.work() == 0
    await shop.change("login", aliases=["p0"])
    shop.line.world.clock.advance(5)
    assert await shop.result(firing) == (1, {}, {})


@pytest.mark.parametrize("is_named", [True, False])
async def test_a_merge_that_is_not_clear_at_planning_ends_nothing(
    shop: FiredSteps, *, is_named: bool
) -> None:
    """Look again in 5 s, for a minute: her basket comes with the merge, or is empty by then."""
    firing, clock = await shop.fire(*await shop.people(["tea"])), shop.line.world.clock
    basket = (await shop.database["profiles"].find_one({"_id": "p0"}) or {})["basket"]
    await _merge(shop, names=False)
    await shop.database["players"].update_many({}, {"$set": {"person": "login"}})
    await shop.empty("login")
    for _ in range(11):  # longer than for an unknown name
        await shop.line.plan()
        assert (await shop.line.account_of(firing))["state"] == "planning"
        clock.advance(5)
    if is_named:
        await shop.change("login", aliases=["p0"], basket=basket)
    else:
        clock.advance(5)
    await shop.line.plan()
    expected = (1, {}, {}) if is_named else (0, NOT_SENT, {"emptied": 1})
    assert await shop.result(firing) == expected


async def _merge(shop: FiredSteps, *, names: bool) -> None:
    """Merge the first person; `names`: the survivor's profile shows it."""
    database, now = shop.database, shop.line.world.clock()
    profile = await database["profiles"].find_one_and_delete({"_id": "p0"})
    assert profile is not None
    aliases = ["p0"] if names else []
    await database["profiles"].insert_one({**profile, "_id": "login", "aliases": aliases})
    if names:
        await database["players"].update_many({"person": "p0"}, {"$set": {"person": "login"}})
    await database["merges"].insert_one(dict(build_merge("p0", "login", now)))


async def test_without_a_run_nobody_gets_it(shop: FiredSteps) -> None:
    firing = await shop.planned(*await shop.people(["tea"]))
    await shop.database["runs"].delete_many({})
    assert await shop.result(firing) == (0, NOT_SENT, {"exited": 1})


class OldKnowledge:
    """Knowledge that is too old until `why` is None."""

    why: str | None = "projector_behind"
    rests = 0  # how often something rested

    async def why_old(self, now: datetime) -> str | None:
        return self.why

    def note_rest(self) -> None:
        self.rests += 1


async def test_a_release_rests_on_old_knowledge(shop: FiredSteps) -> None:
    firing, old = await shop.planned(*await shop.people(["tea"])), OldKnowledge()
    shop.know(old)
    assert await shop.line.work() == 0 and old.rests
    old.why = None
    await shop.buy("p0", "tea")  # what wasn't known yet
    assert await shop.line.work() == 0  # at rest for half a minute
    shop.line.world.clock.advance(30)
    assert await shop.result(firing) == (0, {"bought": 1}, {})


async def test_what_no_knowledge_forbids_goes_at_once(shop: FiredSteps) -> None:
    await shop.put(until=[])
    firing = await shop.planned(*await shop.people(["tea"]))
    shop.know(old := OldKnowledge())
    assert await shop.result(firing) == (1, {}, {}) and not old.rests


async def test_what_rests_until_it_expires_is_over(shop: FiredSteps) -> None:
    firing = await shop.planned(*await shop.people(["tea"]))
    shop.know(OldKnowledge())
    shop.line.world.clock.advance(24 * 3600)
    assert await shop.result(firing) == (0, {"expired": 1}, {})


async def test_why_names_the_detail(shop: FiredSteps) -> None:
    firing = await shop.planned(*await shop.people(["tea"]))
    await shop.empty("p0")
    await shop.result(firing)
    known = PersonFilter({"p0"}, ())
    (found,) = await shop.line.world.stores.outcomes.of_send(firing, known)
    assert (found.outcome, found.reason, found.detail) == (
        "suppressed",
        "not_applicable",
        "emptied",
    )
    report = await shop.line.ops("GET", "/v1/apps/demo/campaigns/welcome/report")
    assert (report["suppressed"], report["notApplicable"]) == (NOT_SENT, {"emptied": 1})
