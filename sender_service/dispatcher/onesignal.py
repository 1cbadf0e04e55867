"""The OneSignal REST client: httpx on aiohttp's transport."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import orjson
from httpx_aiohttp import AiohttpTransport

from sender_service.dispatcher.outcomes import Outcome, RetryAfter, classify
from shared.errors import Rejected
from shared.models.app import App
from shared.models.job import Job
from shared.secrets import Vault
from shared.settings import OneSignalSettings

log = logging.getLogger("carillon.onesignal")

VIEW_TIMEOUT_SECONDS = 5.0


class OneSignalClient:
    """Calls in the name of an app. What goes wrong on the way is an outcome, never an exception."""

    def __init__(self, http: httpx.AsyncClient, vault: Vault) -> None:
        self._http = http
        self._vault = vault
        self._keys: dict[str, str] = {}  # sealed → open: decrypting costs more than a look-up

    async def send(self, app: App, job: Job) -> Outcome:
        """`POST /notifications` for one job."""
        payload = {
            **job.body,
            "include_subscription_ids": job.players,
            "target_channel": "push",
            "idempotency_key": job.idempotency_key,
        }
        try:
            answer = await self._http.post(
                "/notifications", content=orjson.dumps(payload), headers=self._headers(app)
            )
        except httpx.HTTPError:
            return RetryAfter("no_answer")
        return classify(answer.status_code, _lower(answer.headers), answer.content)

    async def messageable(self, app: App) -> int | None:
        """OneSignal's count of players that can be reached; None where it doesn't say."""
        try:
            answer = await self._http.get(
                f"/apps/{app.one_signal.app_id}",
                headers=self._headers(app),
                timeout=VIEW_TIMEOUT_SECONDS,
            )
            count = answer.json().get("messageable_players") if answer.status_code == 200 else None
        except (httpx.HTTPError, ValueError, AttributeError, Rejected):
            return None
        return count if isinstance(count, int) else None

    def _headers(self, app: App) -> dict[str, str]:
        sealed = app.one_signal.rest_api_key
        if sealed not in self._keys:
            self._keys[sealed] = self._vault.decrypt(sealed)
        return {
            "Authorization": f"Key {self._keys[sealed]}",
            "Content-Type": "application/json; charset=utf-8",
        }


def _lower(headers: httpx.Headers) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@asynccontextmanager
async def open_onesignal(
    settings: OneSignalSettings, vault: Vault
) -> AsyncIterator[OneSignalClient]:
    """A client with a bounded pool. Redirects are not followed: a key goes nowhere else."""
    async with httpx.AsyncClient(
        base_url=settings.base_url,
        transport=AiohttpTransport(
            limits=httpx.Limits(
                max_connections=settings.max_connections,
                max_keepalive_connections=settings.max_connections,
            )
        ),
        timeout=httpx.Timeout(settings.timeout_seconds, connect=10.0),
        follow_redirects=False,
    ) as http:
        yield OneSignalClient(http, vault)
