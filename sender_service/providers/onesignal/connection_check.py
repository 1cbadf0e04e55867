"""Check of an app's connection to OneSignal, under the stored key."""

from __future__ import annotations

from typing import Any

import httpx

from sender_service.providers.base import ConnectionResult
from sender_service.providers.onesignal.responses import error_messages, read_answer
from shared.errors import Rejected
from shared.models.app import App
from shared.secrets import Vault
from shared.texts import shorten

CONNECTION_TIMEOUT_SECONDS = 10.0


class ConnectionChecker:
    """Asks OneSignal for an app, apart from the dispatcher's calls.

    It follows no redirects: the key must not reach another host.
    """

    def __init__(self, http: httpx.AsyncClient, vault: Vault) -> None:
        self._http = http
        self._vault = vault

    async def check(self, app: App) -> ConnectionResult:
        """Return whether OneSignal takes the key. Raises nothing: a failure is a result."""
        try:
            key = self._vault.decrypt(app.one_signal.rest_api_key)
            answer = await self._http.get(
                f"/apps/{app.one_signal.app_id}",
                headers={"Authorization": f"Key {key}"},
                timeout=CONNECTION_TIMEOUT_SECONDS,
            )
        except Rejected as exc:
            return ConnectionResult("secret_unreadable", exc.message)
        except UnicodeEncodeError:
            return ConnectionResult(
                "secret_unreadable", "the stored key has letters that no key has"
            )
        except httpx.HTTPError as exc:
            return ConnectionResult("unreachable", f"no answer: {type(exc).__name__}")
        return parse_result(answer)


def parse_result(answer: httpx.Response) -> ConnectionResult:
    """Return the result of OneSignal's answer, whatever it is."""
    body = read_answer(answer.content)
    if answer.status_code == 200 and isinstance(body, dict):
        counts = (_count(body.get(name)) for name in ("players", "messageable_players"))
        return ConnectionResult("ok", "OneSignal takes the key", *counts)
    messages = error_messages(body)
    text = shorten(messages[0], 200) if messages else f"HTTP {answer.status_code}"
    if answer.status_code in (401, 403):
        return ConnectionResult("key_refused", text)
    if answer.status_code == 404:
        return ConnectionResult("app_unknown", text)
    if answer.status_code == 400:  # of the old host, for a bad key and for an unknown app
        is_key = "authorization" in text.lower()
        return ConnectionResult("key_refused" if is_key else "app_unknown", text)
    if answer.status_code >= 500 or answer.status_code == 429:
        return ConnectionResult("unreachable", text)
    return ConnectionResult("unclear", text)


def _count(value: Any) -> int | None:
    """Return a count; None where the value isn't one."""
    return value if type(value) is int and value >= 0 else None
