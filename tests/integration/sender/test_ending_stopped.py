"""D1, D5: what is over ends, and is reported, also where nothing is released for its app."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from sender_service.scheduler.reserving import EXHAUSTED_DELAY
from sender_service.scheduler.scheduler import DELAYS_UNTIL_OVER, REPAIR_SECONDS
from tests.integration.sender.message_budget import MARKETING, exhaust_budget, gauge
from tests.integration.sender.pipeline import Pipeline, open_line
from tests.integration.sender.sender_harness import APP
from tests.support.providers import channel_of
from tests.support.sandbox import KEY

PEOPLE = 12
DAY = 86_400


@pytest.fixture
async def line(mongo_uri: str, tmp_path: Path) -> AsyncIterator[Pipeline]:
    async with open_line(mongo_uri, tmp_path) as opened:
        yield opened


async def stopped(line: Pipeline) -> str:
    """Plan a send of an app that OneSignal refuses with a 403: nothing of it is sent; return its id."""
    await line.people(PEOPLE)
    send = await line.planned()
    await line.remote.put_app(rest_api_key="os_v2_app_another")
    await line.work()
    assert (await line.ops("GET", f"/v1/apps/{APP}"))["state"] == "stopped"
    assert (await line.account_of(send))["pending"] == PEOPLE
    return send


async def nothing_goes_out(line: Pipeline) -> None:
    await line.remote.put_app(rest_api_key=KEY)
    await line.ops("POST", f"/v1/apps/{APP}/resume")
    line.world.clock.advance(60)
    assert await line.work() == 0
    assert await line.reached() == []


async def test_d1_a_stopped_apps_send_that_is_cancelled_closes_at_once(line: Pipeline) -> None:
    send = await stopped(line)
    account = await line.ops("POST", f"/v1/sends/{send}/cancel")
    assert (account["state"], account["pending"]) == ("cancelled", 0)
    assert account["suppressed"] == {"cancelled": PEOPLE} and account["closedAt"] is not None
    await nothing_goes_out(line)


async def test_d1_so_it_does_where_the_app_was_resumed_and_stopped_again(line: Pipeline) -> None:
    # Each refusal is definite, and who wasn't called for it got nothing: none of it is an attempt.
    send = await stopped(line)
    for _ in range(2):
        await line.ops("POST", f"/v1/apps/{APP}/resume")
        line.world.clock.advance(60)
        await line.work()
    assert (await line.ops("GET", f"/v1/apps/{APP}"))["state"] == "stopped"
    account = await line.ops("POST", f"/v1/sends/{send}/cancel")
    assert account["suppressed"] == {"cancelled": PEOPLE} and account["closedAt"] is not None
    await nothing_goes_out(line)


async def test_d1_a_stopped_apps_send_that_expires_closes(line: Pipeline) -> None:
    send = await stopped(line)
    line.world.clock.advance(8 * DAY)
    await line.scheduler._repair.repair_sends(line.world.clock())
    account = await line.account_of(send)
    assert (account["pending"], account["suppressed"]) == (0, {"expired": PEOPLE})
    assert account["closedAt"] is not None
    await nothing_goes_out(line)


async def cancelled(line: Pipeline, send: str) -> None:
    await line.ops("POST", f"/v1/sends/{send}/cancel")


async def paused(line: Pipeline, send: str) -> None:
    await line.ops("POST", f"/v1/sends/{send}/pause")


async def refused(line: Pipeline, send: str) -> None:
    await line.world.sends.end(send, "refused", "a test's")


async def expired(line: Pipeline, send: str) -> None:
    change: dict[str, Any] = {"$set": {"expiresAt": line.world.clock()}}
    await line.world.database["sends"].update_one({"_id": send}, change)


async def app_off(line: Pipeline, send: str) -> None:
    await line.ops("PUT", f"/v1/apps/{APP}", json={
        "name": "Demo", "enabled": False,
        "oneSignal": {"appId": line.remote.app_id, "restApiKey": KEY, "plan": "free"},
    })  # fmt: skip


@pytest.mark.parametrize("over", [cancelled, paused, refused, expired, app_off])
async def test_d5_nothing_waits_once_what_waited_is_over(
    line: Pipeline, over: Callable[[Pipeline, str], Awaitable[None]]
) -> None:
    send = await exhaust_budget(line)
    assert await line.work() == 0
    assert gauge() == 1 and (await line.account_of(send))["limitedSince"] is not None
    await over(line, send)
    for _ in range(DELAYS_UNTIL_OVER + 1):
        line.world.clock.advance(EXHAUSTED_DELAY.total_seconds() + 1)
        await line.scheduler.release_due()
    assert gauge() == 0
    assert await line.scheduler._tools.budget.exhausted_since(channel_of(APP)) is None


async def test_d5_waiting_sends_stay_listed(line: Pipeline) -> None:
    await line.people(1)
    for _ in range(MARKETING + 1):
        await line.planned()
    await line.work()
    for _ in range(2 * DELAYS_UNTIL_OVER):
        line.world.clock.advance(REPAIR_SECONDS)
        await line.scheduler.release_due()
        assert gauge() == 1
