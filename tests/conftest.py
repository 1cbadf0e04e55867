"""Fixtures for every test that needs real servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.settings import Settings
from tests import stack


@pytest.fixture(scope="session")
def broker() -> Iterator[str]:
    """The bootstrap address of a broker that all tests share, its topics and groups too."""
    with stack.broker() as server:
        yield server.address


@pytest.fixture
def fresh_broker() -> Iterator[stack.Server]:
    """A broker of this test's own: empty, and free to be stopped, killed and started again."""
    with stack.broker() as server:
        yield server


@pytest.fixture(scope="session")
def mongo_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The database server that all tests share; each has a database of its own in `settings`."""
    with stack.database(tmp_path_factory.mktemp("database")) as server:
        yield f"mongodb://{server.address}"


@pytest.fixture
def fresh_database(tmp_path: Path) -> Iterator[stack.Server]:
    """A database server of this test's own, free to be stopped, killed and started again."""
    with stack.database(tmp_path / "database") as server:
        yield server


@pytest.fixture
def settings(broker: str, mongo_uri: str, tmp_path: Path) -> Settings:
    """Settings for the shared servers, a database name of this test's own, and free ports."""
    return stack.settings_for(broker, mongo_uri, tmp_path)
