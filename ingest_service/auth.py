"""Whose key is it: the public write keys of pages, the secret keys of servers."""

from __future__ import annotations

from shared.apps import AppRegistry
from shared.errors import Unauthorized
from shared.models.app import App, KeyKind
from shared.models.event import Source

MAX_KEY = 256


def authenticate(apps: AppRegistry, key: str | None) -> tuple[App, Source]:
    """The app, and on whose behalf it speaks. Raises Unauthorized, StoreUnavailable."""
    if not key or len(key) > MAX_KEY:
        raise Unauthorized("a write key is needed: ?key= or X-Write-Key", code="missing_key")
    app, kind = apps.by_key("write", "server", key=key)
    return app, "browser" if kind == "write" else "server"


def app_by_key(apps: AppRegistry, kind: KeyKind, key: str) -> App:
    """Whose key of this kind it is. Raises Unauthorized, StoreUnavailable."""
    if not key or len(key) > MAX_KEY:
        raise Unauthorized(f"unknown {kind} key", code="unknown_key")
    return apps.by_key(kind, key=key)[0]
