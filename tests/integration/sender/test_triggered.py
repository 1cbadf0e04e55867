"""Sends of scenarios: rules and budget of marketing, but first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.sender.message_budget import exhaust_budget
from tests.integration.sender.pipeline import Pipeline, open_line
from tests.integration.sender.sender_harness import APP
from tests.support.providers import channel_of

HER = [{"person": "p0", "variables": {"name": "p0"}}]


@pytest.fixture
async def line(mongo_uri: str, tmp_path: Path) -> AsyncIterator[Pipeline]:
    async with open_line(mongo_uri, tmp_path) as opened:
        yield opened


async def fired(line: Pipeline) -> str:
    send = await line.world.trigger("triggered", recipients=HER)
    await line.plan()
    return send


async def test_what_an_exhausted_budget_frees_goes_to_scenarios_first(line: Pipeline) -> None:
    broadcast, clock = await exhaust_budget(line), line.world.clock
    frees = await line.scheduler._tools.budget.frees_at(channel_of(APP))
    assert frees is not None
    clock.advance((frees - clock()).total_seconds() - 4)
    assert await line.work() == 0  # the broadcast is due again a second after the budget frees
    clock.advance(2)
    reminder = await fired(line)
    assert await line.work() == 0  # the reminder two seconds later
    clock.advance(3)
    assert await line.work() == 0, "marketing left it to the reminder"
    clock.advance(2)
    assert await line.work() == 1
    assert (
        (await line.account_of(reminder))["sent"],
        (await line.account_of(broadcast))["sent"],
    ) == (1, 0)
    clock.advance(15)
    assert await line.work() == 1
    assert (await line.account_of(broadcast))["sent"] == 1
