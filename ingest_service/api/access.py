"""Access control: key, origin and rate limits, before the body is read."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from ingest_service.api.endpoint import RawRequest
from ingest_service.api.rate_limits import RateLimits, RequestCharge
from ingest_service.auth import app_by_key, authenticate
from shared.apps import AppRegistry
from shared.errors import Forbidden, Unauthorized
from shared.models.app import App
from shared.models.event import Source


class Caller(NamedTuple):
    """An authorized caller, and the charge of its request."""

    app: App
    source: Source
    charge: RequestCharge


class AccessControl:
    def __init__(self, apps: AppRegistry, limits: RateLimits) -> None:
        self._apps = apps
        self._limits = limits

    def authorize(self, request: RawRequest) -> Caller:
        """Authorize a request by its write or server key.

        Raises Unauthorized, Forbidden, RateLimited, StoreUnavailable.
        """
        key = request.header(b"x-write-key") or request.query("key") or ""
        app, source = authenticate(self._apps, key)
        check_origin(request, app)
        # A server has a secret key, and one address for all it sends.
        scope = request.scope if source == "browser" else None
        return Caller(app, source, self._limits.begin(key, scope))

    def authorize_webhook(self, request: RawRequest) -> Caller:
        """Authorize a request of a service worker by the webhook key in the path.

        Raises Unauthorized, RateLimited, StoreUnavailable.
        """
        # Any origin: workers run on the shops' own.
        key = request.path("webhook_key")
        app = app_by_key(self._apps, "webhook", key)
        return Caller(app, "webhook", self._limits.begin(key, request.scope))

    def authorize_event_stream(self, request: RawRequest, secret: str) -> Caller:
        """Authorize a request of OneSignal by the webhook key in the path and the app's secret.

        Raises Unauthorized, RateLimited, StoreUnavailable.
        """
        app = app_by_key(self._apps, "webhook", request.path("webhook_key"))
        if app_by_key(self._apps, "stream", secret).id != app.id:
            raise Unauthorized("the secret is another app's", code="unknown_key")
        # OneSignal's addresses have no limit.
        return Caller(app, "stream", self._limits.begin(secret, None))

    def check_preflight(self, request: RawRequest) -> None:
        """Check the origin of a preflight against its key's app. Raises Forbidden, Unauthorized."""
        # A key in a header isn't part of a preflight: then the request itself is checked.
        key = request.query("key")
        if key is not None:
            check_origin(request, authenticate(self._apps, key)[0])


class KeyedHandler:
    """Base of the endpoints that take a write or server key."""

    def __init__(self, access: AccessControl) -> None:
        self._access = access

    async def preflight(self, request: RawRequest) -> None:
        self._access.check_preflight(request)


def check_origin(request: RawRequest, app: App) -> None:
    """Check a request's origin against the app's. Raises Forbidden."""
    origin = request.origin
    if origin is None or not app.origins:
        return
    if origin.lower() not in _comparable(tuple(app.origins)):
        raise Forbidden("this origin may not use this key", code="origin_not_allowed")


@lru_cache(1_024)
def _comparable(origins: tuple[str, ...]) -> frozenset[str]:
    return frozenset(allowed.rstrip("/").lower() for allowed in origins)
