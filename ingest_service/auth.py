"""Authentication by key: public write keys of pages, secret keys of servers."""

from __future__ import annotations

from shared.apps import AppRegistry
from shared.errors import Unauthorized
from shared.models.app import App, KeyKind
from shared.models.event import Source

MAX_APP_KEY_LENGTH = 256


def authenticate(apps: AppRegistry, key: str | None) -> tuple[App, Source]:
    """Return the key's app and the kind of caller. Raises Unauthorized, StoreUnavailable."""
    if not key or len(key) > MAX_APP_KEY_LENGTH:
        raise Unauthorized("a write key is needed: ?key= or X-Write-Key", code="missing_key")
    app, kind = apps.by_key("write", "server", key=key)
    return app, "browser" if kind == "write" else "server"


def app_by_key(apps: AppRegistry, kind: KeyKind, key: str) -> App:
    """Return the app that owns the key. Raises Unauthorized, StoreUnavailable."""
    if not key or len(key) > MAX_APP_KEY_LENGTH:
        raise Unauthorized(f"unknown {kind} key", code="unknown_key")
    return apps.by_key(kind, key=key)[0]
