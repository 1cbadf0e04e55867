"""Stack of `make run`: each part's command, environment and probe."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import httpx

import deploy
from deploy.local import demo
from deploy.local.broker_rotation import PublishingPause
from deploy.local.embedded import Broker, database_command, find_broker, find_database
from deploy.local.final_snapshot import take_final_snapshot
from deploy.local.launcher import Stack
from deploy.local.log_backup import LogBackup
from deploy.local.probes import probe_broker, probe_database, probe_http
from deploy.local.process import Spec
from deploy.local.seed import Seeder
from deploy.local.settings import HOST, LocalSettings, Port, Ports
from deploy.local.summary import write_summary
from shared.settings import Settings

READY = "/health/ready"
# One process has all of the sender's roles, and its loops notify each other. Their polls find only
# what no loop has announced.
CALM = {"CARILLON_KAFKA__REST_MS": "500", "CARILLON_PLAN__POLL_SECONDS": "1.0"}
ROOT = Path(deploy.__file__).parent.parent


def create_stack(
    settings: Settings, local: LocalSettings, ports: Ports, client: httpx.AsyncClient
) -> Stack:
    """Create the stack. Raises LaunchError where an embedded server is needed and isn't there."""
    data = settings.data_dir.resolve()
    parts = _Parts(settings, local, ports, client, data)
    parts.env["CARILLON_SHOP__ONESIGNAL_APP_ID"] = local.onesignal_app_id
    specs = (parts.broker(), parts.database(), parts.sandbox(), *parts.services(), parts.shop())
    return Stack(
        parts=tuple(spec for spec in specs if spec is not None),
        data=data,
        backup=LogBackup(parts.kafka, data),
        is_log_in_memory=ports.broker is not None,
        pause=PublishingPause(data, client, f"{ports.ingest.url}{READY}"),
        seed=Seeder(client, ports, local, settings.ops.token.get_secret_value()),
        summary=write_summary(settings, ports, data),
        snapshot=partial(take_final_snapshot, parts.env) if ports.broker is not None else None,
    )


class _Parts:
    def __init__(
        self,
        settings: Settings,
        local: LocalSettings,
        ports: Ports,
        client: httpx.AsyncClient,
        data: Path,
    ) -> None:
        self._local = local
        self._ports = ports
        self._client = client
        self._data = data
        kafka = settings.kafka
        if ports.broker is not None:
            kafka = kafka.model_copy(update={"bootstrap_servers": _address(ports.broker)})
        self.kafka = kafka
        self._mongo = settings.mongo.database
        self.env = self._environment()

    def broker(self) -> Spec | None:
        port = self._ports.broker
        if port is None:
            return None
        broker = Broker(find_broker(), port.number)

        async def probe() -> None:
            await probe_broker(self.kafka, broker.cluster_id)

        address = _address(port)
        # Tansu panics where its log can't be written, and takes what it has in memory with it.
        return Spec("broker", broker.command, probe, address, self.env, is_pumped=True)

    def database(self) -> Spec | None:
        port = self._ports.database
        if port is None:
            return None
        command = partial(database_command, find_database(), port.number, self._data)
        probe = partial(probe_database, f"mongodb://{_address(port)}", self._mongo)
        return Spec("database", command, probe, _address(port), self.env)

    def sandbox(self) -> Spec | None:
        port = self._ports.sandbox
        if port is None:
            return None
        webhooks = f"{self._ports.ingest.url}/v1/webhooks/onesignal/{demo.WEBHOOK_KEY}"
        arguments = (
            f"--host={HOST}",
            f"--port={port.number}",
            f"--data={self._data / 'sandbox'}",
            f"--webhook-url={webhooks}",
        )
        more = [f"--origin={origin}" for origin in self._local.sandbox_origins]
        more += ["--post-anywhere"] if self._local.sandbox_posts_anywhere else []
        return self._python(port, "/health", "deploy.local.sandbox", *arguments, *more)

    def services(self) -> list[Spec]:
        ports = self._ports
        return [
            # Two processes, so that ingest goes on accepting while the stages stand still.
            self._python(ports.ingest, READY, "ingest_service", "--only", "api"),
            self._python(
                ports.projector, READY, "ingest_service", "--only", "projector",
                f"--port={ports.projector.number}",
            ),
            self._python(ports.sender, READY, "sender_service"),
        ]  # fmt: skip

    def shop(self) -> Spec:
        return self._python(self._ports.shop, "/health", "deploy.local.shop")

    def _python(self, port: Port, health: str, module: str, *arguments: str) -> Spec:
        def command() -> list[str]:
            return [sys.executable, "-m", module, *arguments]

        probe: Callable[[], Awaitable[None]] = partial(
            probe_http, self._client, f"{port.url}{health}"
        )
        return Spec(port.owner, command, probe, port.url, self.env)

    def _environment(self) -> dict[str, str]:
        """Return the children's environment: what is set outside, with our addresses."""
        ports = self._ports
        env = dict(os.environ)
        env.setdefault("CARILLON_DEVELOPMENT", "true")
        env.setdefault("CARILLON_LOG_LEVEL", "DEBUG")  # each event by its id, through all stages
        path = [str(ROOT), *filter(None, [env.get("PYTHONPATH")])]
        env |= {
            "PYTHONPATH": os.pathsep.join(path),  # `make run` works from any folder
            "PYTHONUNBUFFERED": "1",  # a child that dies has written why
            "CARILLON_DATA_DIR": str(self._data),
            "CARILLON_INGEST__PORT": str(ports.ingest.number),
            "CARILLON_SENDER__PORT": str(ports.sender.number),
            "CARILLON_SHOP__PORT": str(ports.shop.number),
            "CARILLON_SHOP__INGEST_URL": ports.ingest.url,
            "CARILLON_SHOP__SENDER_URL": ports.sender.url,
        }
        if ports.broker is not None:
            env["CARILLON_KAFKA__BOOTSTRAP_SERVERS"] = _address(ports.broker)
            env |= {name: env.get(name, value) for name, value in CALM.items()}
        if ports.database is not None:
            env["CARILLON_MONGO__URI"] = f"mongodb://{_address(ports.database)}"
        if ports.sandbox is not None:
            env["CARILLON_ONESIGNAL__BASE_URL"] = ports.sandbox.url
            env["CARILLON_SHOP__SANDBOX_URL"] = ports.sandbox.url
        return env


def _address(port: Port) -> str:
    return f"{port.host}:{port.number}"
