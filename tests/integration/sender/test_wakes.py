"""Wakes: what becomes of due runs when time passes, scenarios are switched, persons are merged."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sender_service.models.policy import Gap
from sender_service.models.send import NEVER
from sender_service.pages.document import page_id
from sender_service.store.contact_pushes import PlannedPush
from shared.models.quiet_hours import QuietHours
from shared.models.wire import to_iso
from tests.integration.sender.waker_harness import APP, Wakers, open_wakers
from tests.support.builders import build_app
from tests.support.documents import build_merge
from tests.unit.sender.scenario_builders import HOUR, after, step


@pytest.fixture
async def wakers(mongo_uri: str, tmp_path: Path) -> AsyncIterator[Wakers]:
    async with open_wakers(mongo_uri, tmp_path) as opened:
        yield opened


async def _walk(wakers: Wakers, minutes: int, every: int = 30) -> None:
    """Look as time passes, each time by a new waker: a restart loses no wait."""
    for _ in range(0, minutes, every):
        wakers.after(minutes=every)
        one = wakers.waker()
        await wakers.look(one, looks=3)
        await one.leases.give_up()
        await wakers.deliver()


async def test_case_13_15_a_late_step_is_skipped_and_not_looked_at_for_ever(wakers: Wakers) -> None:
    await wakers.enter(await wakers.scenario(step("hour")), "ann")
    wakers.after(hours=4)
    await wakers.look(looks=3)
    run = await wakers.run_of("ann")
    assert [one.why for one in run.skipped] == ["late"]
    assert run.ended is not None and (run.ended.why, run.due) == ("done", NEVER)
    assert wakers.triggers() == {}


async def test_case_19_away_for_hours_the_late_are_skipped_and_the_rest_comes_in_time(
    wakers: Wakers,
) -> None:
    steps = [step("one"), step("two", after(60)), step("three", after(180)), step("four", after(0))]
    await wakers.enter(await wakers.scenario(*steps), "ann")
    wakers.after(hours=6)
    await _walk(wakers, 180)
    run = await wakers.run_of("ann")
    assert [(one.step, one.why) for one in run.skipped] == [("one", "late"), ("two", "late")]
    assert [push.step for push in run.pushes] == ["three", "four"]
    assert run.pushes[1].at - run.pushes[0].at >= HOUR


async def test_case_25_steps_without_waits_all_come_an_hour_after_another(wakers: Wakers) -> None:
    steps = [step("one"), step("two", after(0)), step("three", after(0))]
    await wakers.enter(await wakers.scenario(*steps), "ann")
    await _walk(wakers, 240)
    run = await wakers.run_of("ann")
    assert [push.step for push in run.pushes] == ["one", "two", "three"]
    assert run.pushes[2].at - run.pushes[0].at == 2 * HOUR
    assert run.ended is not None and run.ended.why == "done"


async def test_case_20_what_fell_due_while_it_was_off_is_never_made_up_for(wakers: Wakers) -> None:
    steps = [step("one"), step("two", after(1440)), step("last", after(20 * 1440))]
    own = await wakers.scenario(*steps)
    await wakers.enter(own, "ann")
    await wakers.scenario(*steps, enabled=False)
    wakers.after(days=14)
    await wakers.scenario(*steps)
    await wakers.look(looks=3)
    run = await wakers.run_of("ann")
    assert ({one.why for one in run.skipped}, run.step) == ({"off"}, "last")
    await _walk(wakers, 8 * 1440, every=120)
    assert wakers.pushed() == {"ann": ["last"]}


async def test_case_32_an_edit_before_the_wake_stops_and_never_adds(wakers: Wakers) -> None:
    both = [step("one"), step("two", after(60))]
    first = await wakers.scenario(*both)
    await wakers.enter(first, "ann")
    await wakers.scenario(step("one"), step("other", after(60)))
    await _walk(wakers, 300)
    run = await wakers.run_of("ann")
    assert [push.step for push in run.pushes] == ["one"]
    assert [(one.step, one.why) for one in run.skipped] == [("two", "gone")]


async def test_of_two_scenarios_the_higher_goes_and_the_other_keeps_the_gap(
    wakers: Wakers,
) -> None:
    low = await wakers.scenario(id="low", priority=10)
    high = await wakers.scenario(id="high", priority=90)
    for own in (low, high):
        await wakers.enter(own, "ann")
    await _walk(wakers, 180)
    steps = [trigger["scenario"]["id"] for trigger in wakers.triggers().values()]
    assert steps == ["high", "low"]
    pushes = [run.pushes[0].at for run in await wakers.runs.of_person(APP, "ann")]
    assert abs(pushes[0] - pushes[1]) >= HOUR


async def test_a_push_without_a_run_keeps_the_gap(wakers: Wakers) -> None:
    await wakers.enter(await wakers.scenario(), "ann")
    wakers.after(minutes=30)
    gap, contacts = Gap(HOUR), wakers.context.stores.contacts
    await contacts.reserve(APP, {"ann": []}, PlannedPush("by-clock", [gap], wakers.clock()))
    wakers.after(minutes=30)
    await wakers.look()
    assert (await wakers.run_of("ann")).due == wakers.clock() + HOUR / 2
    wakers.after(minutes=30)
    await wakers.look()
    assert wakers.pushed() == {"ann": ["hour"]}


async def test_what_may_meet_the_night_after_its_claim_lives_until_the_morning(
    wakers: Wakers,
) -> None:
    night = QuietHours(start="21:00", end="08:00")
    wakers.context.apps.take([build_app().model_copy(update={"quiet_hours": night})])
    for name, zone in (("ann", "Etc/UTC"), ("bob", "America/New_York")):
        await wakers.person(name, timeZone=zone)
    wakers.after(hours=7, minutes=59)
    await wakers.enter(await wakers.scenario(), "ann", "bob")
    now = wakers.after(minutes=60)
    await wakers.look()
    expires = {one["person"]: trigger["expiresAt"] for trigger in wakers.triggers().values()
               for one in trigger["recipients"]}  # fmt: skip
    assert expires == {"ann": "2026-11-02T10:00:00.000Z", "bob": to_iso(now + 2 * HOUR)}


async def test_who_clicked_is_pushed_no_more(wakers: Wakers) -> None:
    own = await wakers.scenario(step("hour"), step("day", after(1440)), until=("clicked",))
    await wakers.enter(own, "ann", "bob")
    wakers.after(minutes=60)
    await wakers.look()
    await wakers.deliver()
    (firing,) = wakers.triggers()
    page = await wakers.context.stores.pages.get(page_id(firing, 0))
    index = None if page is None else page.index_of("player-ann")
    assert page is not None and index is not None
    clicked = {(index, "click"): wakers.clock()}
    await wakers.context.stores.interactions.add([(page, clicked)])
    wakers.after(hours=24)
    await wakers.look()
    assert wakers.pushed() == {"ann": ["hour"], "bob": ["hour", "day"]}
    run = await wakers.run_of("ann")
    assert run.ended is not None and run.ended.why == "clicked"
    assert run.ended.at == min(clicked.values())


async def test_case_35_of_a_person_merged_and_the_survivor_one_is_pushed(wakers: Wakers) -> None:
    await wakers.enter(await wakers.scenario(), "anon", "login")
    await _merge(wakers, "anon", "login", aliases=["anon"])
    wakers.after(minutes=60)
    await wakers.look(looks=3)
    assert wakers.pushed() == {"login": ["hour"]}
    run = await wakers.run_of("anon")
    assert run.ended is not None and run.ended.why == "merged"


async def test_until_the_survivors_profile_shows_the_merge_nothing_is_done(
    wakers: Wakers,
) -> None:
    await wakers.enter(await wakers.scenario(), "anon", "login")
    wakers.after(minutes=60)
    await wakers.look()
    await wakers.enter(await wakers.scenario(id="other"), "anon")
    wakers.after(minutes=60)
    await _merge(wakers, "anon", "login", aliases=[])
    await wakers.look()
    (waiting,) = [r for r in await wakers.runs.of_person(APP, "anon") if r.scenario == "other"]
    assert waiting.ended is None and waiting.due > wakers.clock(), "looked at again in 5 s"
    wakers.after(seconds=61)
    await wakers.look()
    assert wakers.pushed()["login"] == ["hour", "hour"], "a full profile doesn't name all"


async def test_runs_of_nobody_are_deleted(wakers: Wakers) -> None:
    await wakers.enter(await wakers.scenario(), "ann", "bob")
    await wakers.context.database["profiles"].delete_one({"_id": "ann"})
    wakers.after(minutes=60)
    await wakers.look()
    assert await wakers.runs.of_person(APP, "ann") == []
    assert wakers.pushed() == {"bob": ["hour"]}


async def _merge(wakers: Wakers, merged: str, survivor: str, aliases: list[str]) -> None:
    database = wakers.context.database
    await database["merges"].insert_one(dict(build_merge(merged, survivor, wakers.clock())))
    await database["profiles"].delete_one({"_id": merged})
    named = {"$set": {"aliases": aliases}}
    await database["profiles"].update_one({"_id": survivor}, named)
