"""One stack for all end-to-end tests; each opens a shop of its own in it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.carillon import Carillon, Shop


@pytest.fixture(scope="session")
async def carillon(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Carillon]:
    stack = Carillon(tmp_path_factory.mktemp("carillon"))
    try:
        yield await stack.start()
    finally:
        assert await stack.stop() == 0


@pytest.fixture
async def shop(carillon: Carillon) -> Shop:
    return await carillon.open_shop()
