"""Apps that a process knows: read from MongoDB every few seconds, looked up in memory."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from pydantic import ValidationError

from shared.errors import StoreUnavailable, Unauthorized
from shared.loops import run_periodically
from shared.models.app import App, KeyKind
from shared.mongo.client import Database, blame_database
from shared.mongo.collections import APPS
from shared.mongo.whole_reads import read_all
from shared.secret_check import check_secret
from shared.secrets import Vault

log = logging.getLogger("carillon.apps")

REFRESH_SECONDS = 2.0  # a change must be known within 5 s
DOUBT_SECONDS = 1.0  # a read takes no longer, but where a server is frozen: that refuses nothing


class AppRegistry:
    """Apps by id and by key. Empty until the first read; keeps the last known while MongoDB is away."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self._apps: dict[str, App] = {}
        self._by_key: dict[tuple[KeyKind, str], App] = {}
        self._hashes: dict[str, str] = {}  # of keys seen: a keyed hash costs more than a look-up
        self._loaded = False
        self._current = False
        self._is_key_checked = False

    @property
    def loaded(self) -> bool:
        """Return whether the apps were known at least once."""
        return self._loaded

    @property
    def apps(self) -> Iterable[App]:
        return self._apps.values()

    def get(self, app: str) -> App | None:
        return self._apps.get(app)

    def by_key(self, *kinds: KeyKind, key: str) -> tuple[App, KeyKind]:
        """Return the enabled app that owns the key, and the kind of the key.

        Raises Unauthorized, and StoreUnavailable where the apps may have changed unseen: a caller isn't
        refused for good on old knowledge.
        """
        # Looked up by keyed hash, so no comparison's duration reveals anything about a key.
        hashed = self._hashes.get(key)
        if hashed is None:
            hashed = self._vault.hash_key(key)
        for kind in kinds:
            app = self._by_key.get((kind, hashed))
            if app is not None and app.enabled:
                self._hashes[key] = hashed  # only known keys are kept, so strangers can't fill it
                return app, kind
        if not self._current:
            raise StoreUnavailable("whether this key is known can't be checked now")
        raise Unauthorized(f"unknown {' or '.join(kinds)} key", code="unknown_key")

    async def refresh(self) -> None:
        """Read all apps. One broken document costs only its own app.

        Raises StoreUnavailable. Raises Rejected under another secret key than the apps', which would
        refuse every key.
        """
        if not self._is_key_checked:
            await check_secret(self._database, self._vault)
            self._is_key_checked = True
        apps: dict[str, App] = {}
        with blame_database():
            for document in await read_all(self._database[APPS.name], {}):
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

    def take(self, apps: Iterable[App], *, current: bool = True) -> None:
        """Replace the apps. `current` is False for apps that may have changed since they were read."""
        self._apps = {app.id: app for app in apps}
        self._by_key = {(k.kind, k.hash): app for app in self._apps.values() for k in app.keys}
        self._hashes = {}
        self._loaded = True
        self._current = current

    async def keep_fresh(self, stop: asyncio.Event) -> None:
        await run_periodically(self._try_refresh, REFRESH_SECONDS, stop)

    async def _try_refresh(self) -> None:
        doubting = asyncio.get_running_loop().call_later(DOUBT_SECONDS, self._doubt)
        try:
            await self.refresh()
        except StoreUnavailable as exc:
            self._doubt()
            log.warning("apps not refreshed", extra=exc.log_fields)
        finally:
            doubting.cancel()

    def _doubt(self) -> None:
        self._current = False
