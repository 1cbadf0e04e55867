"""OneSignal as a provider: limits by plan, calls by the client, checks of the connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import httpx

from sender_service.models.push import Push
from sender_service.providers.base import (
    ConnectionResult,
    Json,
    Outcome,
    ProviderContext,
    ProviderLimits,
    PushPreview,
)
from sender_service.providers.onesignal.body import build_body
from sender_service.providers.onesignal.client import OneSignalClient, open_client
from sender_service.providers.onesignal.connection_check import ConnectionChecker
from sender_service.providers.onesignal.limits import LIMITS_BY_PLAN
from shared.models.app import App
from shared.models.job import Job
from shared.priority import CallPriority

ONESIGNAL_NAME = "onesignal"


class OneSignalProvider:
    """OneSignal, for the apps of `App.oneSignal`."""

    name = ONESIGNAL_NAME

    def __init__(self, client: OneSignalClient, checker: ConnectionChecker) -> None:
        self._client = client
        self._checker = checker

    def limits(self, app: App) -> ProviderLimits:
        return LIMITS_BY_PLAN[app.one_signal.plan]

    def body(self, app: App, push: Push, tag: str, topic: str, ttl: int) -> Json:
        return build_body(app.one_signal.app_id, push, tag, topic, ttl)

    def preview(self, push: Push) -> PushPreview:
        return PushPreview.of(push)

    def connections(self, priority: CallPriority) -> asyncio.Semaphore:
        return self._client.connections[priority]

    # The client's own coroutines: a second one around each costs a call.
    def call(self, app: App, job: Job) -> Coroutine[Any, Any, Outcome]:
        return self._client.send(app, job)

    def audience_size(self, app: App) -> Coroutine[Any, Any, int | None]:
        return self._client.audience_size(app)

    def check_connection(self, app: App) -> Coroutine[Any, Any, ConnectionResult]:
        return self._checker.check(app)


@asynccontextmanager
async def open_onesignal(context: ProviderContext) -> AsyncIterator[OneSignalProvider]:
    """Open clients for calls and for checks. OneSignal needn't be reachable."""
    settings = context.settings.onesignal
    async with (
        open_client(settings, context.vault) as client,
        httpx.AsyncClient(base_url=settings.base_url, trust_env=False) as http,
    ):
        yield OneSignalProvider(client, ConnectionChecker(http, context.vault))
