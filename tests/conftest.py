"""Fixtures for every test that needs real servers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from deploy.kafka.errors import KafkaUnavailable
from shared.settings import Settings
from tests.support import cluster, database, marks, stack
from tests.support.certificates import keep_one_certificate
from tests.support.shared_database import SharedDatabase

# How fast examples come says something of the machine, nothing of the code under test.
hypothesis_settings.register_profile(
    "carillon", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("carillon")

HERE = Path(__file__).parent
RUN_EMBEDDED = {"unit", "contract", "integration"}  # by `make test`
BROKERS = frozenset({"broker", "fresh_broker"})
STARTS_ONE = "stack.broker("
LEFT_OUT = pytest.StashKey[int]()


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
    config.addinivalue_line("markers", "any_broker: meets one, of whatever kind")
    cluster.choose(config.getoption("--kafka"), wipe=config.getoption("--kafka-wipe"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    _skip_what_the_engine_lacks(items)
    if cluster.is_cluster():
        left_out = [item for item in items if _is_indifferent(item)]
        items[:] = [item for item in items if not _is_indifferent(item)]
        config.hook.pytest_deselected(items=left_out)
        config.stash[LEFT_OUT] = len(left_out)
        return
    for item in items:
        if item.get_closest_marker("cluster"):
            item.add_marker(pytest.mark.skip(reason="needs --kafka=cluster"))


def _skip_what_the_engine_lacks(items: list[pytest.Item]) -> None:
    uri = database.given()
    engine = database.engine_of(uri) if uri is not None else database.Engine("embedded")
    for item in items:
        for name, reason in engine.skipped.items():
            if name in item.nodeid:
                item.add_marker(pytest.mark.skip(reason=f"{engine.name}: {reason}"))


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    left_out = config.stash.get(LEFT_OUT, 0)
    summary = f"{left_out} tests for which the kind of broker makes no difference: see `make test`"
    return [summary] if left_out else []


def _meets_a_broker(item: pytest.Item) -> bool:
    """Check whether a fixture, of its own or of its fixtures', or its file starts a broker."""
    fixtures: Sequence[str] = getattr(item, "fixturenames", ())
    return not BROKERS.isdisjoint(fixtures) or _starts_one(item.path)


@cache
def _starts_one(path: Path) -> bool:
    return STARTS_ONE in path.read_text()


def _is_indifferent(item: pytest.Item) -> bool:
    """Check whether the kind of broker makes no difference."""
    if item.path.relative_to(HERE).parts[0] not in RUN_EMBEDDED:
        return False
    return item.get_closest_marker("any_broker") is not None or not _meets_a_broker(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Iterator[None]:
    with _skipped_without_java():
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    with _skipped_without_java():
        yield


@contextmanager
def _skipped_without_java() -> Iterator[None]:
    """Skip tests of a broker's death where there is no Java; a given cluster needs none."""
    try:
        yield
    except KafkaUnavailable as exc:
        if cluster.given() is None:
            raise
        pytest.skip(f"stops or kills a broker, which can't be the given one: {exc}")


@pytest.fixture(scope="session", autouse=True)
def logs_are_searched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Last of all: no log line of the whole run, of whatever process, shows a secret or a person."""
    folder = tmp_path_factory.getbasetemp()
    with stack.logs_kept(folder / "services"), marks.listening_in() as listener:
        yield
    found = [*listener.found[: marks.MOST], *marks.search(folder)]
    assert not found, "in the logs:\n" + "\n".join(found)


@pytest.fixture(scope="session", autouse=True)
def one_certificate(tmp_path_factory: pytest.TempPathFactory) -> None:
    keep_one_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="session")
def broker() -> Iterator[str]:
    """Yield the bootstrap address of a broker that all tests share, its topics and groups too."""
    with stack.shared_broker() as server:
        yield server.address


@pytest.fixture
def fresh_broker() -> Iterator[stack.Server]:
    """Yield a broker of this test's own: empty, and free to be stopped, killed and started again."""
    with stack.broker() as server:
        yield server


@pytest.fixture(scope="session")
def given_mongo_uri() -> Iterator[str | None]:
    """Yield the address of the database server that this run was given, if it was."""
    uri = database.given()
    if uri is None:
        yield None
        return
    with database.given_server(uri) as address:
        yield address


@pytest.fixture(scope="session")
def shared_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedDatabase]:
    shared = SharedDatabase(lambda: tmp_path_factory.mktemp("database"))
    yield shared
    shared.stop()


@pytest.fixture(scope="module")
def mongo_uri(given_mongo_uri: str | None, shared_database: SharedDatabase) -> str:
    """Return the database server of a module's tests; each has a database of its own in `settings`."""
    return given_mongo_uri or shared_database.uri()


@pytest.fixture(scope="session")
def lasting_mongo_uri(
    given_mongo_uri: str | None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Yield a database server that stays until the last test, for what is opened once."""
    if given_mongo_uri is not None:
        yield given_mongo_uri
        return
    with stack.database(tmp_path_factory.mktemp("database") / "data", expires=False) as server:
        yield f"mongodb://{server.address}"


@pytest.fixture
def fresh_database(tmp_path: Path) -> Iterator[stack.Server]:
    """Yield a database server of this test's own, free to be stopped, killed and started again."""
    with stack.database(tmp_path / "database") as server:
        yield server


@pytest.fixture
def settings(broker: str, mongo_uri: str, tmp_path: Path) -> Settings:
    """Settings for the shared servers, a database name of this test's own, and free ports."""
    return stack.settings_for(broker, mongo_uri, tmp_path)


@pytest.fixture
def alone(fresh_broker: stack.Server, mongo_uri: str, tmp_path: Path) -> Settings:
    """Settings for a broker of this test's own: a projector reads all that is in its log."""
    return stack.settings_for(fresh_broker.address, mongo_uri, tmp_path)
