"""Fixtures for every test that needs real servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from shared.settings import Settings
from tests import cluster, stack

# How fast examples come says something of the machine, nothing of the code under test.
hypothesis_settings.register_profile(
    "carillon", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("carillon")

GIVEN_CLUSTER = pytest.StashKey[str | None]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--kafka",
        choices=cluster.KINDS,
        default=cluster.chosen_kind(),
        help="the broker of this run: embedded, or a real Apache Kafka",
    )
    parser.addoption(
        "--kafka-wipe",
        action="store_true",
        help=f"delete Carillon's topics from the cluster in {cluster.GIVEN} first",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "cluster: needs a real Apache Kafka (--kafka=cluster)")
    config.stash[GIVEN_CLUSTER] = cluster.choose(config.getoption("--kafka"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if cluster.is_cluster():
        return
    for item in items:
        if item.get_closest_marker("cluster"):
            item.add_marker(pytest.mark.skip(reason="needs --kafka=cluster"))


@pytest.fixture(scope="session")
def broker(request: pytest.FixtureRequest) -> Iterator[str]:
    """The bootstrap address of a broker that all tests share, its topics and groups too."""
    if given := request.config.stash[GIVEN_CLUSTER]:
        with cluster.borrowed(given, wipe=request.config.getoption("--kafka-wipe")) as address:
            yield address
        return
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
