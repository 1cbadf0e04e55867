"""Tests that what gets lost between the stages comes back after the answer timeout, each member once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.kafka.topics import DELIVERIES_TOPIC
from tests.integration.sender.pipeline import JOBS, Pipeline, open_line

PEOPLE = 15
ANSWER_TIMEOUT = 90.0


@pytest.fixture
async def line(mongo_uri: str, tmp_path: Path) -> AsyncIterator[Pipeline]:
    async with open_line(mongo_uri, tmp_path, answer_timeout_seconds=ANSWER_TIMEOUT) as opened:
        yield opened


@pytest.mark.parametrize("priority", ["marketing", "transactional"])
@pytest.mark.parametrize("lost", ["jobs", "answers"])
async def test_what_got_lost_is_released_again(line: Pipeline, lost: str, priority: str) -> None:
    """Transactional ones went out with their intake, the others by the scheduler."""
    players = await line.people(PEOPLE)
    send = await line.planned(priority=priority)
    await line.release()
    if lost == "answers":  # OneSignal has called, and nobody knows
        assert await line.call() > 0
    assert line.log.take(*JOBS, DELIVERIES_TOPIC.name)
    assert await line.work() < PEOPLE
    line.world.clock.advance(ANSWER_TIMEOUT - 1)
    assert await line.work() == 0, "its answer may be on the way"
    line.world.clock.advance(1)
    assert await line.work() > 0
    assert await line.reached() == sorted(players)
    account = await line.account_of(send)
    assert (account["state"], account["sent"], account["pending"]) == ("done", PEOPLE, 0)


async def test_answers_that_come_twice_and_in_any_order_count_once(line: Pipeline) -> None:
    players = await line.people(PEOPLE)
    send = await line.planned()
    await line.release()
    await line.call()
    deliveries = [record for record in line.log.records if record.topic == DELIVERIES_TOPIC.name]
    line.log.records += reversed(deliveries)
    await line.account()
    assert (await line.account_of(send))["sent"] == len(deliveries)
    await line.work()
    line.log.records += deliveries
    await line.account()
    account = await line.account_of(send)
    assert (account["sent"], account["audience"]) == (PEOPLE, PEOPLE)
    assert await line.reached() == sorted(players)
