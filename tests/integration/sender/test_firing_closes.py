"""Closing of firings: what became of a firing's send goes into the runs of its members."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.integration.sender.waker_harness import APP, Wakers, open_wakers
from tests.support.documents import build_merge
from tests.unit.sender.scenario_builders import HOUR, after, step

SENT = ["sent"]


@pytest.fixture
async def wakers(mongo_uri: str, tmp_path: Path) -> AsyncIterator[Wakers]:
    async with open_wakers(mongo_uri, tmp_path) as opened:
        yield opened


async def _fire(wakers: Wakers, *people: str, wait: int = 1440) -> str:
    """Fire the first of two steps; return the firing's id. `wait`: minutes to the second."""
    own = await wakers.scenario(step("hour"), step("day", after(wait)))
    await wakers.enter(own, *people)
    wakers.after(minutes=60)
    await wakers.look()
    (id,) = wakers.triggers()
    return id


async def _close(
    wakers: Wakers, firing: str, outcomes: Mapping[str, Sequence[str]], **fields: Any
) -> dict[str, int]:
    """End the send; return what the firing counted."""
    await wakers.end_send(firing, outcomes, **fields)
    await wakers.look()
    found = await wakers.firings.get(firing)
    assert found is not None and found.state == "settled"
    return dict(found.counts)


async def _merge(wakers: Wakers, person: str, survivor: str) -> None:
    database = wakers.context.database
    await database["merges"].insert_one(dict(build_merge(person, survivor, wakers.clock())))
    await database["profiles"].delete_one({"_id": person})
    await wakers.person(survivor, aliases=[person])


async def test_who_got_it_or_was_held_out_keeps_the_push(wakers: Wakers) -> None:
    firing = await _fire(wakers, "ann", "bob", "cid")
    outcomes = {"ann": SENT, "bob": ["suppressed", "holdout"], "cid": ["suppressed", "capped"]}
    assert await _close(wakers, firing, outcomes) == {"sent": 1, "holdout": 1, "capped": 1}
    for name, pushes, skipped in (("ann", 1, []), ("bob", 1, []), ("cid", 0, ["capped"])):
        run = await wakers.run_of(name)
        assert (len(run.pushes), [one.why for one in run.skipped]) == (pushes, skipped)
        assert run.step == "day", "the next step comes in any case"


async def test_the_run_keeps_what_its_push_was_about(wakers: Wakers) -> None:
    firing = await _fire(wakers, "ann", "bob")
    outcomes = {"ann": SENT, "bob": ["suppressed", "capped"]}
    await _close(wakers, firing, outcomes, about=["tea", "cup"])
    assert [one.items for one in (await wakers.run_of("ann")).pushes] == [("tea", "cup")]
    assert (await wakers.run_of("bob")).pushes == ()


async def test_what_a_merged_persons_push_was_about_is_in_the_survivors_run(wakers: Wakers) -> None:
    firing = await _fire(wakers, "anon", wait=60)
    await _merge(wakers, "anon", "login")
    wakers.after(minutes=60)
    await wakers.look()
    await _close(wakers, firing, {"login": SENT}, about=["tea"])
    (run,) = await wakers.runs.of_person(APP, "login")
    assert [(one.step, one.items) for one in run.pushes] == [("hour", ("tea",)), ("day", ())]


async def test_a_detail_is_more_than_its_reason(wakers: Wakers) -> None:
    firing = await _fire(wakers, "ann", "bob")
    outcomes = {
        "ann": ["suppressed", "not_applicable", "emptied"],
        "bob": ["suppressed", "not_applicable", "bought_item"],
    }
    assert await _close(wakers, firing, outcomes) == {"emptied": 1, "bought_item": 1}
    assert [one.why for one in (await wakers.run_of("bob")).skipped] == ["bought_item"]


async def test_case_16_a_step_of_silence_is_looked_at_and_pushed_again(wakers: Wakers) -> None:
    own = await wakers.scenario(step("hour", after(60, "silence")))
    await wakers.enter(own, "ann")
    wakers.after(minutes=60)
    await wakers.look()
    (firing,) = wakers.triggers()
    seen = {"$set": {"lastSeenAt": wakers.clock()}}
    await wakers.context.database["profiles"].update_one({"_id": "ann"}, seen)
    outcomes = {"ann": ["suppressed", "not_applicable", "active"]}
    assert await _close(wakers, firing, outcomes) == {"active": 1}
    await wakers.look()
    run = await wakers.run_of("ann")
    assert (run.step, run.pushes, run.due) == ("hour", (), wakers.clock() + HOUR)
    wakers.after(minutes=60)
    await wakers.look()
    assert wakers.pushed()["ann"] == ["hour", "hour"]


async def test_a_closed_firing_changes_nothing_again(wakers: Wakers) -> None:
    firing = await _fire(wakers, "ann")
    await _close(wakers, firing, {"ann": ["suppressed", "capped"]})
    run = await wakers.run_of("ann")
    handed = {"$set": {"state": "handed"}}  # its waker died before it wrote that
    await wakers.context.database["firings"].update_one({"_id": firing}, handed)
    await wakers.look()
    assert await wakers.run_of("ann") == run


@pytest.mark.parametrize(
    ("error", "why"),
    [
        ("campaign_disabled: campaign: it is gone or switched off", "campaign_disabled"),
        ("unknown_campaign: campaign: there is none of this name", "unknown_campaign"),
        ("planning_failed: planning failed: KeyError", "planning_failed"),
        ("already_expired: expiresAt: is in the past", "late"),
    ],
)
async def test_case_18_34_a_refused_send_is_given_back_by_name(
    wakers: Wakers, error: str, why: str
) -> None:
    firing = await _fire(wakers, "ann", "bob")
    await wakers.store_send(firing, state="refused", error=error)
    await wakers.look()
    found = await wakers.firings.get(firing)
    assert found is not None and (found.state, found.counts) == ("settled", {why: 2})
    run = await wakers.run_of("ann")
    assert ([one.why for one in run.skipped], run.pushes, run.step) == ([why], (), "day")
    wakers.after(hours=24)
    await wakers.look()
    assert wakers.pushed()["ann"] == ["hour", "day"], "it holds nobody up"


async def test_a_send_that_never_came_is_given_back_once_it_expired(wakers: Wakers) -> None:
    firing = await _fire(wakers, "ann")
    wakers.after(minutes=121)
    await wakers.look()
    assert await wakers.states() == ["handed"], "it may come yet, by a clock that is late"
    wakers.after(minutes=2)
    await wakers.look()
    found = await wakers.firings.get(firing)
    assert found is not None and (found.state, found.counts) == ("settled", {"late": 1})


async def test_an_open_send_holds_no_other_up(wakers: Wakers) -> None:
    firing = await _fire(wakers, "ann")
    await wakers.store_send(firing, state="sending", totals=None, closed_at=None)
    wakers.after(hours=24)
    await wakers.look()
    assert wakers.pushed()["ann"] == ["hour", "day"]
    assert await wakers.states() == ["handed", "handed"]


async def test_closing_goes_on_a_turn_later_and_holds_no_due_run_up(wakers: Wakers) -> None:
    for id in ("one", "two"):
        own = await wakers.scenario(id=id)
        await wakers.enter(own, f"p-{id}")
    wakers.after(minutes=60)
    await wakers.look()
    await wakers.deliver()
    await wakers.enter(own, "last")
    wakers.after(minutes=60)
    waker = wakers.waker()
    waker.closer.monotonic = count().__next__  # each firing takes a turn's time
    await wakers.look(waker)
    assert await wakers.states() == ["handed", "handed", "settled"]
    assert "last" in wakers.pushed()
    await wakers.look(waker)
    assert await wakers.states() == ["handed", "settled", "settled"]


async def test_who_has_no_browser_is_skipped(wakers: Wakers) -> None:
    firing = await _fire(wakers, "ann", "bob")
    assert await _close(wakers, firing, {"ann": SENT}) == {"sent": 1, "no_player": 1}
    assert [one.why for one in (await wakers.run_of("bob")).skipped] == ["no_player"]


async def test_a_firing_under_way_goes_on_as_the_survivors(wakers: Wakers) -> None:
    firing = await _fire(wakers, "anon", "bob", wait=60)
    await _merge(wakers, "anon", "login")
    wakers.after(minutes=60)
    await wakers.look()  # the run goes over, with the push in it, and its next step comes
    counts = await _close(wakers, firing, {"login": ["suppressed", "capped"], "bob": ["sent"]})
    assert counts == {"capped": 1, "sent": 1}
    (run,) = await wakers.runs.of_person(APP, "login")
    assert [push.step for push in run.pushes] == ["day"], "the first push is given back"
    assert [one.why for one in run.skipped] == ["capped"]
