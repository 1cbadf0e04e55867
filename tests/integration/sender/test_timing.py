"""Tests of when a push may go out: not before it is due, not while it is paused, not at night."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sender_service.scheduler.scheduler import PAUSED_DELAY
from sender_service.store.pages import DUE_PAGES_LIMIT
from tests.integration.sender.pipeline import JOBS, OFFER, OUT, Pipeline, open_line
from tests.integration.sender.sender_harness import APP

PEOPLE = 30
HOUR = 3_600.0


@pytest.fixture
async def line(mongo_uri: str, tmp_path: Path) -> AsyncIterator[Pipeline]:
    async with open_line(mongo_uri, tmp_path) as opened:
        yield opened


@pytest.mark.parametrize("priority", ["marketing", "transactional"])
async def test_nothing_is_planned_before_it_is_due(line: Pipeline, priority: str) -> None:
    # A transactional send of few is planned by intake, if it is due.
    players = await line.people(2)
    at = line.world.clock() + timedelta(hours=1)
    send = await line.send_trigger(priority=priority, sendAt=at.isoformat())
    for wait, state in ((0.0, "scheduled"), (HOUR - 0.1, "scheduled"), (0.1, "sending")):
        line.world.clock.advance(wait)
        await line.plan()
        assert (await line.account_of(send))["state"] == state
        assert bool(await line.pages(send)) is (state == "sending")
    assert await line.work() == 2
    assert await line.reached() == sorted(players)


async def pause_in_the_middle(line: Pipeline) -> tuple[str, int]:
    """Pause a send while some of its calls are out; return its id, and how many those are."""
    send = await line.planned()
    released = await line.release()
    assert released == OUT < PEOPLE, "no more than that may be out, also of a page with more"
    assert (await line.ops("POST", f"/v1/sends/{send}/pause"))["state"] == "paused"
    return send, released


async def test_paused_in_the_middle_goes_on_where_it_was(line: Pipeline) -> None:
    players = await line.people(PEOPLE)
    send, released = await pause_in_the_middle(line)
    assert await line.work() == released, "what is released still goes, and nothing else"
    for _ in range(3):
        line.world.clock.advance(PAUSED_DELAY.total_seconds() / 2)
        assert await line.work() == 0
    account = await line.account_of(send)
    assert (account["sent"], account["pending"]) == (released, PEOPLE - released)
    await line.ops("POST", f"/v1/sends/{send}/resume")
    assert await line.work() == PEOPLE - released, "at once, whenever it was looked at last"
    assert await line.reached() == sorted(players)
    assert (await line.account_of(send))["state"] == "done"


async def test_paused_what_was_called_comes_to_its_end(line: Pipeline) -> None:
    # A call that got no answer may have been taken: it is repeated, also while the send is paused.
    await line.people(PEOPLE)
    await line.remote.faults(odds={"500": 1})
    send, released = await pause_in_the_middle(line)
    assert await line.call() == released
    await line.account()
    assert (await line.account_of(send))["pending"] == PEOPLE
    await line.remote.faults()
    line.world.clock.advance(60)
    assert await line.work() == released
    account = await line.account_of(send)
    assert (account["state"], account["sent"]) == ("paused", released)


async def test_cancelled_in_the_middle_calls_nobody_else(line: Pipeline) -> None:
    await line.people(PEOPLE)
    send, released = await pause_in_the_middle(line)
    await line.ops("POST", f"/v1/sends/{send}/cancel")
    assert await line.work() == released
    account = await line.account_of(send)
    assert (account["state"], account["sent"], account["pending"]) == ("cancelled", released, 0)
    assert (
        account["suppressed"] == {"cancelled": PEOPLE - released}
        and account["closedAt"] is not None
    )
    assert len(await line.reached()) == released


async def test_paused_sends_crowd_out_nobody(line: Pipeline) -> None:
    # Their pages are due for longer than all others, and a look sees only so many.
    await line.people(1)
    paused = [await line.send_trigger() for _ in range(DUE_PAGES_LIMIT)]
    await line.plan()
    for send in paused:
        await line.world.sends.set_paused(send, True)
    line.world.clock.advance(1)
    other = await line.planned()
    assert await line.release() == 0, "this look sees none but those, and puts them off"
    assert await line.work() == 1
    assert (await line.account_of(other))["state"] == "done"


NIGHT = {"quietHours": {"from": "22:00", "to": "08:00"}}
EVENING = datetime(2026, 11, 2, 21, 30, tzinfo=UTC)  # 22:30 in Prague, 16:30 in New York
MORNING = datetime(2026, 11, 3, 7, 0, tzinfo=UTC)  # 08:00 in Prague


async def evening(line: Pipeline) -> tuple[list[str], list[str]]:
    """Add people in Prague and in New York, in the evening; return the players of each."""
    offer = {**OFFER, "variants": [{**OFFER["variants"][0], "contents": {"en": "Hello"}}]}
    await line.ops("PUT", f"/v1/apps/{APP}/campaigns/welcome", json={**offer, "policy": NIGHT})
    line.world.clock.advance((EVENING - line.world.clock()).total_seconds())
    return (
        await line.people(3, timeZone="Europe/Prague"),
        await line.people(2, timeZone="America/New_York"),
    )


async def test_at_night_pushes_wait_for_their_own_morning(line: Pipeline) -> None:
    asleep, awake = await evening(line)
    send = await line.planned()
    assert await line.work() == 1, "a call for each time zone, though their bodies are the same"
    assert await line.reached() == sorted(awake)
    account = await line.account_of(send)
    assert (account["pending"], account["suppressed"]) == (3, {})
    line.world.clock.advance((MORNING - line.world.clock()).total_seconds() - 1)
    assert await line.work() == 0
    line.world.clock.advance(1)
    assert await line.work() == 1
    assert await line.reached() == sorted(asleep + awake)
    assert (await line.account_of(send))["state"] == "done"


async def test_an_app_has_quiet_hours_of_its_own(line: Pipeline) -> None:
    asleep, awake = await evening(line)
    app = await line.ops("GET", f"/v1/apps/{APP}")
    zoned = {**app, "timeZone": "Europe/Prague", **NIGHT}
    await line.ops("PUT", f"/v1/apps/{APP}", json=zoned)
    offer = await line.ops("GET", f"/v1/apps/{APP}/campaigns/welcome")
    campaigns = {"as-the-app": None, "at-any-hour": False}
    for campaign, hours in campaigns.items():
        of = {**offer, "policy": {**offer["policy"], "quietHours": hours}}
        await line.ops("PUT", f"/v1/apps/{APP}/campaigns/{campaign}", json=of)
    sent = [await line.planned(campaign=campaign) for campaign in campaigns]
    await line.work()
    assert await line.reached() == sorted([*asleep, *awake, *awake])
    accounts = [await line.account_of(send) for send in sent]
    assert [account["pending"] for account in accounts] == [len(asleep), 0]
    # A send keeps the hours that it began with.
    await line.ops("PUT", f"/v1/apps/{APP}", json={**zoned, "quietHours": None})
    assert await line.work() == 0


async def test_what_meets_the_night_between_release_and_call_waits_too(line: Pipeline) -> None:
    asleep, awake = await evening(line)
    line.world.clock.advance(-HOUR)  # 21:30 in Prague
    send = await line.planned()
    assert await line.release() == 2
    line.world.clock.advance(HOUR)  # no dispatcher until 22:30
    assert await line.work() == 3, "Prague's call is given back; New York's is repeated as it was"
    assert await line.reached() == sorted(awake)
    account = await line.account_of(send)
    assert account["waiting"][0]["code"] == "quiet_hours"
    assert account["forecast"]["seconds"] > 9 * HOUR
    line.world.clock.advance((MORNING - line.world.clock()).total_seconds())
    assert await line.work() == 1
    assert await line.reached() == sorted(asleep + awake)
    assert (await line.account_of(send))["state"] == "done"


async def test_a_call_that_got_lost_in_the_evening_is_repeated_in_the_morning(
    line: Pipeline,
) -> None:
    asleep, awake = await evening(line)
    line.world.clock.advance(-HOUR)
    await line.planned()
    assert await line.release() == 2
    assert line.log.take(*JOBS)
    line.world.clock.advance(HOUR)
    assert await line.work() == 1
    assert await line.reached() == sorted(awake)
    line.world.clock.advance((MORNING - line.world.clock()).total_seconds())
    assert await line.work() == 1
    assert await line.reached() == sorted(asleep + awake)


async def test_pressing_pushes_know_no_night(line: Pipeline) -> None:
    asleep, awake = await evening(line)
    await line.planned(priority="transactional")
    await line.work()
    assert await line.reached() == sorted(asleep + awake)


async def test_what_expires_before_the_morning_is_reported_as_that(line: Pipeline) -> None:
    _, awake = await evening(line)
    send = await line.planned(expiresAt=(MORNING - timedelta(hours=1)).isoformat())
    assert await line.work() == 1
    line.world.clock.advance((MORNING - line.world.clock()).total_seconds())
    assert await line.work() == 0
    account: dict[str, Any] = await line.account_of(send)
    assert (account["state"], account["sent"]) == ("done", len(awake))
    assert account["suppressed"] == {"expired": 3}
