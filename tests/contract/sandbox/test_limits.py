"""The limits: calls a second, views a second, and messages in 15 minutes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from deploy.local.sandbox.limits import MessageWindow, PeakWindow, RateWindow
from tests.support.clocks import ManualClock
from tests.support.sandbox import KEY, SandboxApp, sandbox_at

AUTH = {"Authorization": f"Key {KEY}"}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def timed(tmp_path: Path, clock: ManualClock) -> AsyncIterator[SandboxApp]:
    async with sandbox_at(tmp_path, clock=clock.monotonic) as remote:
        await remote.put_app(plan="free")
        yield remote


async def test_free_plan_admits_150_calls_a_second(timed: SandboxApp, clock: ManualClock) -> None:
    calls = [timed.create([str(uuid4())]) for _ in range(152)]
    answers = await asyncio.gather(*calls)
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) == 2
    assert refused[0].json() == {"errors": ["API rate limit exceeded"]}
    assert int(refused[0].headers["retry-after"]) >= 1
    clock.advance(1)
    assert (await timed.create([str(uuid4())])).status_code == 200
    tally = await timed.tally()
    assert tally["answers"] == {"200": 151, "429": 2}
    assert (tally["calls"], tally["peak_per_second"]) == (153, 152)


async def test_cancel_shares_the_bucket(timed: SandboxApp) -> None:
    await asyncio.gather(*(timed.create([str(uuid4())]) for _ in range(149)))
    path = f"/notifications/{uuid4()}?app_id={timed.app_id}"
    assert (await timed.client.delete(path, headers=AUTH)).status_code == 404
    assert (await timed.client.delete(path, headers=AUTH)).status_code == 429


async def test_views_have_a_limit_of_their_own(timed: SandboxApp, clock: ManualClock) -> None:
    path = f"/notifications/{uuid4()}?app_id={timed.app_id}"
    answers = [await timed.client.get(path, headers=AUTH) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [404] * 10 + [429]
    assert answers[0].json() == {"errors": ["Notification not found"]}
    clock.advance(1)
    assert (await timed.client.get(path, headers=AUTH)).status_code == 404


async def test_more_than_ten_messages_a_subscription_disable_the_app(
    timed: SandboxApp, clock: ManualClock
) -> None:
    ids = await timed.browsers(2, odds={"display": 0})
    soon = "1970-01-12T15:00:00Z"
    waiting = (await timed.create(ids, send_after=soon)).json()["id"]
    for _ in range(10):
        assert (await timed.create(ids)).status_code == 200
    assert not (await timed.tally())["disabled"]
    assert (await timed.create(ids[:1])).status_code == 200  # passes the limit, and is the last
    assert (await timed.tally())["disabled"]
    assert (await timed.create(ids)).status_code == 403
    view = await timed.client.get(f"/notifications/{waiting}?app_id={timed.app_id}", headers=AUTH)
    assert view.json()["canceled"] is True
    await timed.put_app(disabled=False)
    assert (await timed.create(ids)).status_code == 200
    assert not (await timed.tally())["disabled"]


async def test_the_window_of_messages_rolls(timed: SandboxApp, clock: ManualClock) -> None:
    ids = await timed.browsers(1, odds={"display": 0})
    for _ in range(4):
        clock.advance(450)
        for _ in range(5):
            assert (await timed.create(ids)).status_code == 200
    assert not (await timed.tally())["disabled"]


async def test_disabled_and_window_survive_a_restart(tmp_path: Path) -> None:
    clock = ManualClock()
    async with sandbox_at(tmp_path, clock=clock.monotonic) as first:
        await first.put_app()
        ids = await first.browsers(1, odds={"display": 0})
        for _ in range(10):
            await first.create(ids)
    async with sandbox_at(tmp_path, clock=clock.monotonic) as second:
        second.app_id = first.app_id
        assert (await second.create(ids)).status_code == 200
    async with sandbox_at(tmp_path, clock=clock.monotonic) as third:
        third.app_id = first.app_id
        assert (await third.create(ids)).status_code == 403
        assert (await third.tally())["answers"] == {"200": 11, "403": 1}


def test_windows_are_sliding() -> None:
    rate, peak, messages = RateWindow(), PeakWindow(), MessageWindow()
    assert [rate.is_admitted(at, 2) for at in (0.0, 0.75, 0.875, 1.0, 1.5, 1.75)] == [
        True,
        True,
        False,
        True,
        False,
        True,
    ]
    for at in (0.0, 0.5, 0.9, 1.2, 1.3, 2.5):
        peak.add(at)
    assert peak.peak == 4
    assert [messages.add(at, 5) for at in (0, 899, 900, 1_799)] == [5, 10, 10, 10]
