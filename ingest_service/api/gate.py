"""Who may come in: by key, origin and limits, all before the body is read."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from ingest_service.api.door import Call
from ingest_service.auth import identify_app, identify_caller
from ingest_service.limits import Limits
from shared.apps import AppRegistry
from shared.errors import Forbidden, Unauthorized
from shared.models.app import App
from shared.models.event import Source


class Guest(NamedTuple):
    """`address` is None where it isn't limited."""

    app: App
    source: Source
    key: str
    address: str | None


class Gate:
    def __init__(self, apps: AppRegistry, limits: Limits) -> None:
        self._apps = apps
        self._limits = limits

    def admit(self, call: Call) -> Guest:
        """By a write or server key. Raises Unauthorized, Forbidden, RateLimited, StoreUnavailable."""
        key = call.header(b"x-write-key") or call.query("key") or ""
        app, source = identify_caller(self._apps, key)
        check_origin(call, app)
        # A server has a secret key, and one address for all it sends.
        address = self._limits.address(call.scope) if source == "browser" else None
        self._limits.let_in(key, address)
        return Guest(app, source, key, address)

    def admit_worker(self, call: Call) -> App:
        """By the webhook key in the path: any origin, since workers run on the shops' own."""
        key = call.path("webhook_key")
        app = identify_app(self._apps, "webhook", key)
        self._limits.let_in(key, self._limits.address(call.scope))
        return app

    def admit_stream(self, call: Call, secret: str) -> App:
        """By the webhook key in the path and the same app's secret: OneSignal, so without limits."""
        app = identify_app(self._apps, "webhook", call.path("webhook_key"))
        if identify_app(self._apps, "stream", secret).id != app.id:
            raise Unauthorized("the secret is another app's", code="unknown_key")
        return app

    def check_preflight(self, call: Call) -> None:
        """It carries no header's key; then the request itself is judged. Raises Forbidden."""
        key = call.query("key")
        if key is not None:
            check_origin(call, identify_caller(self._apps, key)[0])

    def charge(self, guest: Guest, events: int) -> None:
        self._limits.charge(guest.key, guest.address, events)


def check_origin(call: Call, app: App) -> None:
    """Raises Forbidden where the app names its origins and this is another one."""
    origin = call.origin
    if origin is None or not app.origins:
        return
    if origin.lower() not in _comparable(tuple(app.origins)):
        raise Forbidden("this origin may not use this key", code="origin_not_allowed")


@lru_cache(1_024)
def _comparable(origins: tuple[str, ...]) -> frozenset[str]:
    return frozenset(allowed.rstrip("/").lower() for allowed in origins)
