"""The ingest API on doubles: a log in memory, apps and visitors as given, a clock that stands."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx

from ingest_service.api.app import ApiDependencies, create_app
from ingest_service.api.rate_limits import RateLimits
from ingest_service.collect.collector import Collector
from ingest_service.collect.event_validator import EventValidator
from shared.apps import AppRegistry
from shared.clock import monotonic
from shared.errors import StoreUnavailable
from shared.health import Health
from shared.models.app import App
from shared.mongo.client import Database
from shared.secrets import Vault
from shared.settings import HttpSettings, LimitSettings
from tests.support.clocks import ManualClock
from tests.support.memory_log import MemoryLog

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SHOP = "https://shop.example.test"
VAULT = Vault("a secret key for tests, long enough")
PROXY = "10.9.0.0/16"  # trusted
TIGHT = LimitSettings(key_per_second=100, key_burst=2_000, address_per_second=2, address_burst=20)
EMPTY: dict[str, Any] = {"oneSignal": {}, "affinityToOneSignalPlayerID": []}


class MemoryViews:
    def __init__(self) -> None:
        self.known: dict[tuple[str, str], dict[str, Any]] = {}
        self.away = False
        self.hangs = False

    async def view(self, app: str, visitor: str) -> dict[str, Any]:
        if self.hangs:
            await asyncio.Event().wait()
        if self.away:
            raise StoreUnavailable("MongoDB is away")
        return self.known.get((app, visitor), EMPTY)


def app(name: str, **changes: Any) -> App:
    """Return an app with the keys wk_, sk_, wh_ and st_<name>."""
    kinds = {"write": "wk", "server": "sk", "webhook": "wh", "stream": "st"}
    keys = [
        {"id": kind, "kind": kind, "hash": VAULT.hash_key(f"{short}_{name}")}
        for kind, short in kinds.items()
    ]
    one_signal = {"appId": "11111111-2222-4333-8444-555555555555", "restApiKey": "sealed"}
    return App.model_validate(
        {"_id": name, "name": name, "version": 1, "keys": keys, "oneSignal": one_signal, **changes}
    )


class Api:
    """The API and everything behind it."""

    def __init__(self, database: Database) -> None:
        self.log = MemoryLog()
        self.views = MemoryViews()
        self.health = Health(lambda: NOW, monotonic)
        self.apps = AppRegistry(database, VAULT)
        collector = Collector(self.log, EventValidator.of(VAULT), lambda: NOW)
        self.monotonic = ManualClock()
        limits = RateLimits(TIGHT, [PROXY], self.monotonic.monotonic)
        parts = ApiDependencies(self.apps, collector, self.views, lambda: NOW, limits)
        self.asgi = create_app(HttpSettings(trusted_proxies=[PROXY]), self.health, parts)

    def client(self, address: str = "127.0.0.1") -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.asgi, client=(address, 4711))
        return httpx.AsyncClient(transport=transport, base_url="http://ingest.test")
