"""Settings of the launcher (`CARILLON_LOCAL__…`), and the ports that follow from them."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.settings import Names, Settings

HOST = "127.0.0.1"
DEMO_APP_ID = "5eed0000-ca21-4110-8000-0000000de300"  # the demo's OneSignal app, in the sandbox
DEMO_REST_KEY = "os_v2_app_demo_only_the_sandbox_knows_this_key"


class LocalSettings(BaseSettings):
    """Settings of the launcher. Port 0 is any free one; ingest and sender have ports of their own."""

    model_config = SettingsConfigDict(env_prefix="CARILLON_LOCAL__", extra="ignore")

    broker_port: int = Field(19092, ge=0, le=65_535)
    database_port: int = Field(27117, ge=0, le=65_535)
    sandbox_port: int = Field(8095, ge=0, le=65_535)
    shop_port: int = Field(8099, ge=0, le=65_535)
    projector_port: int = Field(0, ge=0, le=65_535)  # only for its health
    broker_memory_mb: int = Field(512, ge=16)  # then another takes its place (its log is in memory)
    log_mb: int = Field(16, ge=1)  # of a part's log; as much again of what was before it
    start_seconds: float = Field(60.0, gt=0)  # until a child must be ready; seen: below 3
    stop_seconds: float = Field(12.0, gt=0)  # the services' own drain ends at 10
    sandbox_origins: Names = []  # of pages that may call it, beside those on this machine
    sandbox_posts_anywhere: bool = False  # webhooks and Event Streams: else to this machine only
    onesignal_app_id: str = DEMO_APP_ID  # of the app that is seeded: set both with a real OneSignal
    onesignal_rest_api_key: SecretStr = SecretStr(DEMO_REST_KEY)


@dataclass(frozen=True)
class Port:
    """Port that a part of ours is going to listen on, and the setting that moves it."""

    owner: str
    number: int
    setting: str
    host: str = HOST

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.number}"


@dataclass(frozen=True)
class Ports:
    """Ports of the children; None where a server from outside stands in."""

    broker: Port | None
    database: Port | None
    sandbox: Port | None
    ingest: Port
    projector: Port
    sender: Port
    shop: Port

    def every(self) -> list[Port]:
        servers = (self.broker, self.database, self.sandbox)
        services = (self.ingest, self.projector, self.sender, self.shop)
        return [port for port in (*servers, *services) if port is not None]


def is_foreign_broker(settings: Settings) -> bool:
    return "bootstrap_servers" in settings.kafka.model_fields_set


def is_foreign_database(settings: Settings) -> bool:
    return "uri" in settings.mongo.model_fields_set


def is_foreign_onesignal(settings: Settings) -> bool:
    return "base_url" in settings.onesignal.model_fields_set


def choose_ports(settings: Settings, local: LocalSettings) -> Ports:
    def own(owner: str, number: int) -> Port:
        return Port(owner, number or _free_port(), f"CARILLON_LOCAL__{owner.upper()}_PORT")

    def service(owner: str, number: int, host: str) -> Port:
        reachable = HOST if host in ("0.0.0.0", "::", "") else host
        setting = f"CARILLON_{owner.upper()}__PORT"
        return Port(owner, number or _free_port(), setting, reachable)

    return Ports(
        broker=None if is_foreign_broker(settings) else own("broker", local.broker_port),
        database=None if is_foreign_database(settings) else own("database", local.database_port),
        sandbox=None if is_foreign_onesignal(settings) else own("sandbox", local.sandbox_port),
        ingest=service("ingest", settings.ingest.port, settings.ingest.host),
        projector=own("projector", local.projector_port),
        sender=service("sender", settings.sender.port, settings.sender.host),
        shop=own("shop", local.shop_port),
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
