"""The apps, as a process knows them: read from MongoDB every few seconds, looked up in memory."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from pydantic import ValidationError

from shared.collections import APPS
from shared.errors import StoreUnavailable, Unauthorized
from shared.models.app import App, KeyKind
from shared.mongo import Database, translate_mongo_errors
from shared.secrets import Vault
from shared.wakeup import pause

log = logging.getLogger("carillon.apps")

REFRESH_SECONDS = 2.0  # a change must be known within 5 s


class AppRegistry:
    """Apps by id and by key. Empty until the first read; keeps the last known while MongoDB is away."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._collection = database[APPS.name]
        self._vault = vault
        self._apps: dict[str, App] = {}
        self._by_key: dict[tuple[KeyKind, str], App] = {}
        self._hashes: dict[str, str] = {}  # of keys seen: a keyed hash costs more than a look-up
        self._loaded = False

    @property
    def loaded(self) -> bool:
        """Whether the apps were known at least once; until then no key can be judged."""
        return self._loaded

    @property
    def apps(self) -> Iterable[App]:
        return self._apps.values()

    def get(self, app: str) -> App | None:
        return self._apps.get(app)

    def by_key(self, kind: KeyKind, key: str) -> App:
        """The enabled app that this key belongs to. Raises Unauthorized, StoreUnavailable.

        Looked up by keyed hash, so no comparison's duration says anything about a key.
        """
        hashed = self._hashes.get(key)
        if hashed is None:
            hashed = self._vault.hash_key(key)
        app = self._by_key.get((kind, hashed))
        if app is None and not self._loaded:
            raise StoreUnavailable("the apps are not known yet")
        if app is None or not app.enabled:
            raise Unauthorized(f"unknown {kind} key", code="unknown_key")
        self._hashes[key] = hashed  # only known keys are kept, so strangers can't fill it
        return app

    async def refresh(self) -> None:
        """Read all apps. Raises StoreUnavailable. One broken document costs only its own app."""
        apps: dict[str, App] = {}
        with translate_mongo_errors():
            async for document in self._collection.find({}):
                try:
                    app = App.model_validate(document)
                except ValidationError as exc:
                    log.error(
                        "app unreadable",
                        extra={"app": document["_id"], "errors": len(exc.errors())},
                    )
                else:
                    apps[app.id] = app
        self.take(apps.values())

    def take(self, apps: Iterable[App]) -> None:
        """From now on these are the apps."""
        self._apps = {app.id: app for app in apps}
        self._by_key = {(k.kind, k.hash): app for app in self._apps.values() for k in app.keys}
        self._hashes = {}
        self._loaded = True

    async def keep_fresh(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await self.refresh()
            except StoreUnavailable as exc:
                log.warning("apps not refreshed", extra={"code": exc.code})
            await pause(stop, REFRESH_SECONDS)
