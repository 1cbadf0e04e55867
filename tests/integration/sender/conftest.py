"""Fixtures: two replicas of the sender on each MongoDB driver, and an intake harness."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.sender.intake_harness import IntakeHarness, open_harness
from tests.integration.sender.two_replicas import TwoReplicas, open_pair
from tests.support import stack


@pytest.fixture(scope="session", params=["motor", "pymongo"])
async def open_senders(
    request: pytest.FixtureRequest,
    broker: str,
    lasting_mongo_uri: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[TwoReplicas]:
    """Small pages, so that few people make many."""
    settings = stack.settings_for(broker, lasting_mongo_uri, tmp_path_factory.mktemp("pair"))
    async with open_pair(settings, request.param, page_members=10, lease_seconds=5) as opened:
        yield opened


@pytest.fixture
async def pair(open_senders: TwoReplicas) -> TwoReplicas:
    """Return the replicas on a database with one shop only."""
    await open_senders.start_again()
    return open_senders


@pytest.fixture
async def harness(mongo_uri: str, tmp_path: Path) -> AsyncIterator[IntakeHarness]:
    async with open_harness(mongo_uri, tmp_path) as harness:
        yield harness
