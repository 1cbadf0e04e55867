"""Tests of an app that is paused before OneSignal would disable it, and how that is reported.

A gauge, the log and the status of its sends report it; and so they do a count of subscribers that is
ours alone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sender_service.scheduler.budget import MessageBudget
from sender_service.store.limits import BudgetStore
from sender_service.store.people import PeopleReader
from shared.settings import GovernorSettings
from tests.integration.sender.message_budget import exhaust_budget, gauge
from tests.integration.sender.pipeline import Pipeline, open_line
from tests.integration.sender.sender_harness import APP
from tests.integration.sender.two_replicas import APP as APP_OF_PAIR
from tests.integration.sender.two_replicas import TwoReplicas
from tests.support.clocks import ManualClock
from tests.support.providers import WINDOW_MINUTES, build_counts, channel_of

BUDGET_EXHAUSTED = "message budget exhausted"
ALONE = "provider audience size missing"


@pytest.fixture
async def line(mongo_uri: str, tmp_path: Path) -> AsyncIterator[Pipeline]:
    async with open_line(mongo_uri, tmp_path) as opened:
        yield opened


def logged(caplog: pytest.LogCaptureFixture, message: str) -> list[tuple[str, str]]:
    """Return (level, app) of each such record."""
    found = [
        r for r in caplog.records if r.name == "carillon.message_budget" and r.message == message
    ]
    return [(r.levelname, r.__dict__["app"]) for r in found]


async def test_paused_app_is_reported_until_it_goes_on(
    line: Pipeline, caplog: pytest.LogCaptureFixture
) -> None:
    send = await exhaust_budget(line)
    assert gauge() == 0 and logged(caplog, BUDGET_EXHAUSTED) == []
    assert (await line.account_of(send))["limitedSince"] is None
    since = line.world.clock()
    for _ in range(3):
        assert await line.work() == 0
        line.world.clock.advance(60)
    assert gauge() == 1
    assert logged(caplog, BUDGET_EXHAUSTED) == [("WARNING", APP)], "once, not each time"
    account = await line.account_of(send)
    assert account["limitedSince"] == since.isoformat(timespec="milliseconds").replace(
        "+00:00", "Z"
    )
    assert (account["state"], account["pending"]) == ("sending", 1)

    line.world.clock.advance((WINDOW_MINUTES + 1) * 60)
    assert await line.work() == 1
    assert gauge() == 0
    account = await line.account_of(await line.planned())
    assert account["limitedSince"] is None, "it isn't held any more"


async def test_our_count_alone_is_reported_once_and_again_when_it_is_so_again(
    pair: TwoReplicas, caplog: pytest.LogCaptureFixture
) -> None:
    await pair.people(3)
    clock, answers = ManualClock(), [None, None, 3, None, None, 3, None]

    async def ask(app: str) -> int | None:
        return answers.pop(0)

    people = PeopleReader(pair.database)
    budget = MessageBudget(
        store=BudgetStore(pair.database),
        counts=build_counts(people, pair.one.context.apps, ask, clock.monotonic),
        settings=GovernorSettings(),
        clock=clock,
    )
    counts = []
    while answers:
        await budget.counts.refresh(channel_of(APP_OF_PAIR))
        counts.append(len(logged(caplog, ALONE)))
        clock.advance(GovernorSettings().audience_refresh_seconds)
    assert counts == [1, 1, 1, 2, 2, 2, 3]
    assert set(logged(caplog, ALONE)) == {("WARNING", APP_OF_PAIR)}
