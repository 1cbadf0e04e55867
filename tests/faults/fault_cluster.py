"""The processes of a fault run, each its own to be killed: broker, database, sandbox, services."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Literal

import httpx
import psutil
from pydantic import BaseModel, SecretStr

from deploy.kafka.ports import HOST
from shared.clock import OFFSET_FILE
from shared.mongo.client import Database, open_database
from shared.settings import Settings
from tests.support import stack
from tests.support.cluster import session_ms
from tests.support.mongo_proxy import MongoProxy
from tests.support.stack import Server, eventually

OPS_TOKEN = "ops_planted_7c1f0d2e9b"  # planted: no log may show it
ONESIGNAL_SECONDS, ANSWER_TIMEOUT_SECONDS = 4.0, 9.0
AWAY_SECONDS = 20.0  # how long a helper of the harness itself waits for what is being restarted
SERVICES = ("ingest", "sender")
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


class FaultCluster:
    """`up` says since when (monotonic) a service is expected to answer; absent: it is not."""

    def __init__(
        self,
        data: Path,
        log_level: LogLevel = "DEBUG",
        *,
        proxied: bool = True,
        **groups: BaseModel,
    ) -> None:
        """Prepare a cluster; `groups` of settings replace the defaults."""
        self.logs = data / "logs"
        self.logs.mkdir(parents=True)
        self.broker = stack.shared_broker()
        self.database = stack.database(data / "database")
        # The services reach the database by it, unless they are measured; the harness reads past it.
        self._proxied, self._opened = proxied, ExitStack()
        self.proxy = MongoProxy((HOST, self.database.port), port=stack.free_port())
        self.sandbox = self._sandbox(data / "sandbox")
        self.settings = self._settings(data).model_copy(update={"log_level": log_level, **groups})
        self.spool_folder = self.settings.data_dir / "ingest"  # ingest's own part of it
        self._clocks = data / "clocks"
        self._clocks.mkdir()
        self.offsets: dict[str, float] = dict.fromkeys(SERVICES, 0.0)
        self.ingest = self._service("ingest")
        self.sender = self._service("sender")
        self.replicas: list[Server] = []
        self.suspended: set[Server] = set()
        self.up: dict[str, float] = {}
        self.http = httpx.AsyncClient(timeout=15, trust_env=False)
        self.guards = {s: asyncio.Lock() for s in self.servers.values()}  # one fault at a time
        self.clock_guards = {name: asyncio.Lock() for name in SERVICES}
        self.plan_guard = asyncio.Lock()  # of the sandbox's faults
        self.replica_guard = asyncio.Lock()  # of whoever has replicas, or must have none beside
        for name, server in self.servers.items():
            server.log = self.logs / f"{name}.log"

    @property
    def _direct(self) -> str:
        return f"mongodb://{self.database.address}"

    @property
    def servers(self) -> dict[str, Server]:
        names = ("broker", "database", "sandbox", *SERVICES)
        return {name: getattr(self, name) for name in names}

    def _sandbox(self, data: Path) -> Server:
        port = stack.free_port()
        command = [sys.executable, "-m", "deploy.local.sandbox", f"--port={port}", f"--data={data}"]
        return Server(command, port)

    def _settings(self, data: Path) -> Settings:
        """Impatient, so that what waits for an answer timeout or a lease doesn't make a round long."""
        settings = stack.settings_for(
            self.broker.address, self.proxy.uri if self._proxied else self._direct, data
        )
        changes: dict[str, dict[str, Any]] = {
            "kafka": {"session_timeout_ms": session_ms()},
            "onesignal": {
                "base_url": f"http://{self.sandbox.address}",
                "timeout_seconds": ONESIGNAL_SECONDS,
            },
            "plan": {"answer_timeout_seconds": ANSWER_TIMEOUT_SECONDS, "lease_seconds": 4.0},
            "ops": {"token": SecretStr(OPS_TOKEN)},
        }
        groups = {
            name: getattr(settings, name).model_copy(update=update)
            for name, update in changes.items()
        }
        return settings.model_copy(update=groups)

    def _service(self, name: str) -> Server:
        env = stack.environment(self.settings) | {OFFSET_FILE: str(self._clocks / name)}
        port = getattr(self.settings, name).port
        return Server([sys.executable, "-m", f"{name}_service"], port, env)

    def set_clock(self, name: str, seconds: float) -> None:
        """Make a service's clock wrong by so many seconds, a tenth of a second later."""
        self.offsets[name] = seconds
        written = self._clocks / f"{name}.new"
        written.write_text(str(seconds))
        written.replace(self._clocks / name)  # at once: it may be read at any moment

    async def start(self) -> None:
        for server in (self.broker, self.database, self.sandbox):
            await asyncio.to_thread(server.start)
        self._opened.enter_context(self.proxy)
        await asyncio.gather(*(self.start_service(name) for name in SERVICES))
        await self.ready()

    async def stop(self) -> None:
        await self.calm()
        await self.http.aclose()
        for name in ("ingest", "sender", "sandbox", "broker", "database"):
            await asyncio.to_thread(self.servers[name].stop)
        self._opened.close()

    async def start_service(self, name: str) -> None:
        """Start a service, and wait until it answers."""
        server = self.servers[name]
        await asyncio.to_thread(server.start)
        await eventually(lambda: self._is_live(server), 30)
        self.up[name] = time.monotonic()

    async def _is_live(self, server: Server) -> bool:
        try:
            await self.http.get(f"http://{server.address}/health/live", timeout=2)
        except httpx.HTTPError:
            return False
        return True

    def replica(self, module: str, *arguments: str, clock_offset: int = 0) -> Server:
        """One more of a service, not started yet, whose clock may differ by so many seconds."""
        port = stack.free_port()
        group = module.removesuffix("_service")
        http = getattr(self.settings, group).model_copy(update={"port": port})
        env = stack.environment(self.settings.model_copy(update={group: http}))
        self.set_clock(f"replica-{port}", clock_offset)
        env[OFFSET_FILE] = str(self._clocks / f"replica-{port}")
        options = ["--port", str(port)] if group == "ingest" else []  # else a projector's is any
        server = Server([sys.executable, "-m", module, *arguments, *options], port, env)
        server.log = self.logs / f"replica-{group}.log"
        self.replicas.append(server)
        return server

    async def calm(self) -> None:
        """End every fault: resume what is suspended, start what is down, set clocks and OneSignal right."""
        for server in self.suspended:
            server.thaw()
        self.suspended.clear()
        for name, server in self.servers.items():
            if server.returncode is not None:
                await (
                    self.start_service(name)
                    if name in SERVICES
                    else asyncio.to_thread(server.start)
                )
        for replica in self.replicas:
            await asyncio.to_thread(replica.stop)
        self.proxy.decide = lambda _: None
        self.replicas.clear()
        for name in SERVICES:
            self.set_clock(name, 0)
        await self.misbehave({})

    async def misbehave(self, plan: dict[str, Any]) -> None:
        await self.onesignal("PUT", "/sandbox/faults", json=plan)

    async def ready(self) -> None:
        """Both services say so, with nothing down."""

        async def look() -> bool:
            answers = [await self.health(name) for name in SERVICES]
            return all(body.get("status") == "ready" for body in answers)

        await eventually(look, 60, every=0.1)

    async def health(self, name: str) -> dict[str, Any]:
        try:
            answer = await self.http.get(f"http://{self.servers[name].address}/health/ready")
        except httpx.HTTPError as exc:
            return {"status": type(exc).__name__}
        return dict(answer.json())

    async def onesignal(self, method: str, path: str, **more: Any) -> Any:
        """Return the sandbox's answer, asked again while it is being restarted."""
        return await self._ask(
            lambda: self.http.request(method, f"http://{self.sandbox.address}{path}", **more)
        )

    async def ops(self, method: str, path: str, **more: Any) -> Any:
        """Return the ops API's answer, asked again while it or what it needs is away."""
        url = f"http://{self.sender.address}{path}"
        headers = {"Authorization": f"Bearer {OPS_TOKEN}"}
        return await self._ask(lambda: self.http.request(method, url, headers=headers, **more))

    async def _ask(self, call: Callable[[], Awaitable[httpx.Response]]) -> Any:
        async def once() -> httpx.Response | None:
            try:
                answer = await call()
            except httpx.TransportError:
                return None
            return None if answer.status_code == 503 else answer

        answer = await eventually(once, AWAY_SECONDS, every=0.1)
        assert answer.is_success, f"{answer.request.url}: {answer.status_code} {answer.text}"
        return answer.json()

    @asynccontextmanager
    async def mongo(self) -> AsyncIterator[Database]:
        mongo = self.settings.mongo.model_copy(update={"uri": SecretStr(self._direct)})
        async with open_database(mongo, "faults") as database:
            yield database

    def log(self, name: str) -> str:
        return (self.logs / f"{name}.log").read_text(errors="replace")

    async def measured(self, name: str, sample: str) -> float | None:
        """Return a metric of the service; None while it gives none."""
        try:
            answer = await self.http.get(f"http://{self.servers[name].address}/metrics", timeout=2)
        except httpx.HTTPError:
            return None
        found = (line.rpartition(" ") for line in answer.text.splitlines())
        return next((float(value) for key, _, value in found if key == sample), None)

    def resident_megabytes(self) -> dict[str, float]:
        """Return the memory of the services that run just now."""
        found = {}
        for name in SERVICES:
            with suppress(psutil.Error):
                found[name] = psutil.Process(self.servers[name].pid).memory_info().rss / 1024**2
        return found
