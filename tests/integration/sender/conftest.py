"""Both MongoDB drivers: they have the same methods, and must do the same."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests import stack
from tests.integration.sender.two_replicas import TwoReplicas, open_pair


@pytest.fixture(scope="session", params=["motor", "pymongo"])
async def open_senders(
    request: pytest.FixtureRequest,
    broker: str,
    mongo_uri: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[TwoReplicas]:
    """Small pages, so that few people make many."""
    settings = stack.settings_for(broker, mongo_uri, tmp_path_factory.mktemp("pair"))
    async with open_pair(settings, request.param, page_members=10, lease_seconds=5) as opened:
        yield opened


@pytest.fixture
async def pair(open_senders: TwoReplicas) -> TwoReplicas:
    """With a shop and nothing else in it."""
    await open_senders.start_again()
    return open_senders
