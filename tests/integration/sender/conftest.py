"""Both MongoDB drivers: they have the same methods, and must do the same."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from shared.settings import Settings
from tests.integration.sender.pair import Pair, open_pair


@pytest.fixture(params=["motor", "pymongo"])
async def pair(request: pytest.FixtureRequest, settings: Settings) -> AsyncIterator[Pair]:
    """Small pages, so that few people make many."""
    async with open_pair(settings, request.param, page_members=10, lease_seconds=5) as opened:
        yield opened
