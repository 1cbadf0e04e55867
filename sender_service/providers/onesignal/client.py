"""Client of OneSignal's REST API: httpx on aiohttp's transport."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import httpx
import orjson
from httpx_aiohttp import AiohttpTransport

from sender_service.providers.base import Outcome, Refused, RetryAfter
from sender_service.providers.onesignal.responses import classify, read_count
from shared.clock import monotonic
from shared.errors import Rejected
from shared.models.app import App
from shared.models.job import Job
from shared.priority import CallPriority
from shared.secrets import Vault
from shared.settings import OneSignalSettings

log = logging.getLogger("carillon.onesignal")

VIEW_TIMEOUT_SECONDS = 5.0
CONNECT_SECONDS = 10.0
HEADER_TEXT = re.compile(r"[\x21-\x7e]+")
LONGEST_ANSWER = 1024**2  # bytes; the longest real one names 2,000 invalid players: 80 kB
Transports = Mapping[CallPriority, httpx.AsyncBaseTransport]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: httpx.Headers
    content: bytes


class OneSignalClient:
    """Client that calls in an app's name. A failed call is an outcome, never an exception."""

    def __init__(self, transports: Transports, settings: OneSignalSettings, vault: Vault) -> None:
        """Open a client on a transport for each priority; hanging marketing calls take no others'."""
        # Calls use the transport itself: `AsyncClient` adds redirects, cookies and sign-in flows, at
        # the price of another call, and a key should take part in none of them.
        # There are as many `connections` as in the pool, so their holders don't wait there.
        self._transports = transports
        self.connections = {p: asyncio.Semaphore(settings.max_connections) for p in transports}
        self._base = settings.base_url.rstrip("/")
        self._create = httpx.URL(f"{self._base}/notifications")
        self._seconds = settings.timeout_seconds
        self._timeouts = _timeouts(settings.timeout_seconds)
        self._vault = vault
        # By sealed key: decryption costs more than the call.
        self._known: dict[str, httpx.Headers] = {}

    async def send(self, app: App, job: Job) -> Outcome:
        """`POST /notifications` for one job."""
        payload = {
            **job.body,
            "include_subscription_ids": job.players,
            "target_channel": "push",
            "idempotency_key": job.idempotency_key,
        }
        try:
            answer = await self._answer(
                self._transports[job.priority],
                httpx.Request(
                    "POST", self._create, headers=self._headers(app), content=orjson.dumps(payload),
                    extensions=self._timeouts,
                ),
            )  # fmt: skip
        except httpx.HTTPError:
            return RetryAfter("no_answer")
        except Rejected as exc:  # an unreadable key: nothing was called, nor will be
            return Refused("app", exc.code, exc.message)
        return classify(answer.status, answer.headers, answer.content)

    async def audience_size(self, app: App) -> int | None:
        """Return OneSignal's count of reachable players; None when it gives none."""
        try:
            answer = await self._answer(
                self._transports["transactional"],
                httpx.Request(
                    "GET", f"{self._base}/apps/{app.one_signal.app_id}", headers=self._headers(app),
                    extensions=_timeouts(VIEW_TIMEOUT_SECONDS),
                ),
            )  # fmt: skip
        except (httpx.HTTPError, Rejected):
            return None
        return read_count(answer.content) if answer.status == 200 else None

    async def _answer(self, transport: httpx.AsyncBaseTransport, request: httpx.Request) -> Answer:
        """Return the whole answer. Raises httpx.HTTPError, also when it is too long or too slow."""
        answer = await transport.handle_async_request(request)
        answer.headers.encoding = "latin-1"  # detection costs a pass over all headers
        try:
            return Answer(answer.status_code, answer.headers, await self._read(answer))
        finally:
            await answer.aclose()

    async def _read(self, answer: httpx.Response) -> bytes:
        """Return the body. Raises httpx.HTTPError when it is too long or takes too long."""
        # The transport's timeout is for each piece, and a body may come in very small ones.
        until, chunks, size = monotonic() + self._seconds, [], 0
        packed = "content-encoding" in answer.headers
        pieces = answer.aiter_bytes() if packed else cast(httpx.AsyncByteStream, answer.stream)
        async for chunk in pieces:
            chunks.append(chunk)
            size += len(chunk)
            if size > LONGEST_ANSWER:
                raise httpx.ReadError(f"an answer of more than {LONGEST_ANSWER} bytes")
            if monotonic() > until:
                raise httpx.ReadTimeout(f"an answer of more than {self._seconds:g} s")
        return b"".join(chunks)

    def _headers(self, app: App) -> httpx.Headers:
        sealed = app.one_signal.rest_api_key
        if sealed not in self._known:
            key = self._vault.decrypt(sealed)
            if not HEADER_TEXT.fullmatch(key):
                raise Rejected("the stored key can't stand in a header", code="secret_unreadable")
            self._known[sealed] = httpx.Headers(
                {
                    "Authorization": f"Key {key}",
                    "Content-Type": "application/json; charset=utf-8",
                    "User-Agent": "Carillon",
                }
            )
        return self._known[sealed]


def _timeouts(seconds: float) -> dict[str, Any]:
    """Return timeouts as the transport's extensions."""
    return {"timeout": httpx.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS)).as_dict()}


@asynccontextmanager
async def open_client(settings: OneSignalSettings, vault: Vault) -> AsyncIterator[OneSignalClient]:
    """Open a client with a bounded pool for each priority."""
    limits = httpx.Limits(
        max_connections=settings.max_connections,
        max_keepalive_connections=settings.max_connections,
    )
    async with (
        AiohttpTransport(limits=limits) as pressing,
        AiohttpTransport(limits=limits) as marketing,
    ):
        transports: Transports = {"transactional": pressing, "marketing": marketing}
        yield OneSignalClient(transports, settings, vault)
