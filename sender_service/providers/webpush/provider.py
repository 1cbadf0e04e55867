"""Push services as a provider: each player's own is called, under the shop's VAPID key."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson
from py_vapid import Vapid02
from pydantic import BaseModel, SecretStr
from pywebpush import WebPusher, WebPushException

from sender_service.models.push import Push
from sender_service.providers.base import (
    ConnectionResult,
    Json,
    NotSent,
    Outcome,
    PlayerReader,
    ProviderContext,
    ProviderLimits,
    PushPreview,
    Refused,
    RetryAfter,
)
from sender_service.providers.webpush.body import build_body
from sender_service.providers.webpush.limits import LIMITS_OF_SERVICES
from sender_service.providers.webpush.responses import classify
from shared.errors import StoreUnavailable
from shared.models.app import App
from shared.models.job import Job
from shared.priority import CallPriority

log = logging.getLogger("carillon.webpush")

WEBPUSH_NAME = "webpush"


class WebPushSettings(BaseModel):
    """`CARILLON_PROVIDERS__WEBPUSH__…`. `private_key`: of VAPID, as base64url; `subject`: its contact."""

    private_key: SecretStr
    subject: str
    timeout_seconds: float = 30.0
    max_connections: int = 64


class WebPushProvider:
    """Push services of browsers. A player's entry in the ledger holds its `subscription`."""

    name = WEBPUSH_NAME

    def __init__(
        self, session: aiohttp.ClientSession, settings: WebPushSettings, players: PlayerReader
    ) -> None:
        self._session = session
        self._settings = settings
        self._players = players
        self._vapid = Vapid02.from_string(settings.private_key.get_secret_value())
        most = settings.max_connections
        self._connections: dict[CallPriority, asyncio.Semaphore] = {
            "transactional": asyncio.Semaphore(most),
            "marketing": asyncio.Semaphore(most),
        }

    def limits(self, app: App) -> ProviderLimits:
        return LIMITS_OF_SERVICES

    def body(self, app: App, push: Push, tag: str, topic: str, ttl: int) -> Json:
        return build_body(push, tag, topic, min(ttl, LIMITS_OF_SERVICES.max_ttl_seconds))

    def preview(self, push: Push) -> PushPreview:
        return PushPreview.of(push)

    def connections(self, priority: CallPriority) -> asyncio.Semaphore:
        return self._connections[priority]

    async def call(self, app: App, job: Job) -> Outcome:
        if len(job.players) != 1:
            return Refused("call", "webpush_targets", "a call has one subscription")
        try:
            ledger = await self._players.ledger(app.id, job.players)
            player = ledger.get(job.players[0])
            subscription = None if player is None else player.get("subscription")
            return NotSent() if subscription is None else await self._send(subscription, job)
        except (aiohttp.ClientError, TimeoutError, StoreUnavailable):
            return RetryAfter("no_answer")
        except (WebPushException, ValueError) as exc:
            return Refused("call", "webpush_subscription", type(exc).__name__)

    async def _send(self, subscription: Mapping[str, Any], job: Job) -> Outcome:
        address = urlsplit(subscription["endpoint"])
        claims = {"sub": self._settings.subject, "aud": f"{address.scheme}://{address.netloc}"}
        headers = {**self._vapid.sign(claims), "Topic": job.body["topic"]}
        answer = await WebPusher(subscription, aiohttp_session=self._session).send_async(
            orjson.dumps(job.body["message"]), headers, job.body["ttl"],
            timeout=aiohttp.ClientTimeout(self._settings.timeout_seconds),
        )  # fmt: skip
        return classify(answer.status, answer.headers.get("Retry-After"), job.idempotency_key)

    async def audience_size(self, app: App) -> int | None:
        return None  # nobody counts but our ledger

    async def check_connection(self, app: App) -> ConnectionResult:
        return ConnectionResult("ok", "push services need no registration")


@asynccontextmanager
async def open_webpush(context: ProviderContext) -> AsyncIterator[WebPushProvider]:
    """Open a session for calls. No push service needs to be reachable."""
    settings = WebPushSettings.model_validate(context.settings.providers.get(WEBPUSH_NAME, {}))
    async with aiohttp.ClientSession() as session:
        yield WebPushProvider(session, settings, context.players)
