"""The ops API on a real database, with a log that only remembers, and a clock that a test turns."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import httpx

from sender_service.context import SenderContext
from sender_service.ops.routers import OpsApi
from sender_service.store.send_codec import encode_send
from sender_service.wiring import open_sender
from shared.clock import utc_now
from shared.documents.profile import Profile
from shared.health import Health
from shared.loops import Wakeup
from shared.mongo.client import Database, ensure_indexes
from shared.mongo.collections import INGEST, SENDER
from shared.settings import OneSignalSettings, Settings
from tests.support.clocks import ManualClock
from tests.support.documents import build_profile, store_people
from tests.support.memory_log import MemoryLog
from tests.support.sends import build_send

ADMIN = "ops_demo"
ONESIGNAL = "http://onesignal.test"
PERSON, OTHER = "a" * 32, "b" * 32


@dataclass
class Ops:
    """The API and what it stands on."""

    http: httpx.AsyncClient
    context: SenderContext
    log: MemoryLog
    clock: ManualClock

    @property
    def database(self) -> Database:
        return self.context.database

    async def call(self, method: str, path: str, token: str = ADMIN, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return await self.http.request(method, path, headers=headers, **more)

    async def ok(self, method: str, path: str, token: str = ADMIN, **more: Any) -> Any:
        answer = await self.call(method, path, token, **more)
        assert answer.is_success, answer.text
        return answer.json()

    async def token(self, role: str, **more: Any) -> str:
        body = {"name": f"test {role}", "role": role, "apps": "all", **more}
        return str((await self.ok("POST", "/v1/tokens", json=body))["token"])

    async def open_app(self, app: str = "shop", campaign: str = "hello") -> None:
        one_signal = {"appId": str(uuid.uuid4()), "restApiKey": "os_v2_app_secret"}
        await self.ok("PUT", f"/v1/apps/{app}", json={"name": app, "oneSignal": one_signal})
        await self.ok("PUT", f"/v1/apps/{app}/campaigns/{campaign}", json=offer())

    async def add_person(self, person: str = PERSON, **more: Any) -> Profile:
        """Store a profile, and its players in the ledger, as ingest writes them; return the profile."""
        profile = a_profile(person, **more)
        await store_people(self.database, profile)
        return profile


@asynccontextmanager
async def open_ops(settings: Settings) -> AsyncIterator[Ops]:
    clock, log = ManualClock(utc_now()), MemoryLog()
    settings = settings.model_copy(update={"onesignal": OneSignalSettings(base_url=ONESIGNAL)})
    async with open_sender(settings) as sender:
        database = sender.context.database
        await ensure_indexes(database, SENDER)
        await ensure_indexes(database, INGEST)
        context = replace(
            sender.context, settings=settings, writer=cast(Any, log), clock=clock,
            monotonic=clock.monotonic, health=Health(clock, clock.monotonic), scheduler_wakeup=Wakeup(),
        )  # fmt: skip
        parts = OpsApi.of(context, sender.intake(), None)
        transport = httpx.ASGITransport(app=parts.api(), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://ops") as http:
            yield Ops(http, context, log, clock)


def offer(**more: Any) -> dict[str, Any]:
    texts = {"headings": {"en": "Shop"}, "contents": {"en": "Hello"}, "url": "https://shop.test/"}
    return {"name": "Hello", "variants": [{"id": "a", **texts}], **more}


def a_profile(person: str, **more: Any) -> Profile:
    at = datetime(2026, 11, 1, 12, tzinfo=UTC)
    known = {"players": [{"id": str(uuid.uuid4())}], "visitors": [f"v-{person[:4]}"],
             "lastSeenAt": at, "language": "cs", "browser": "Chrome", **more}  # fmt: skip
    return build_profile(person, "shop", **known)


def a_send(send: str, clock: ManualClock, **more: Any) -> dict[str, Any]:
    """Return a send as stored; `more`: stored fields."""
    days = timedelta(days=36)
    fields: dict[str, Any] = {"app": "shop", "campaign": "hello", "digest": "d", "pages": 1}
    return {**encode_send(build_send(send, clock(), expire_at=clock() + days, **fields)), **more}
