"""The last known apps on disk, so that ingest starts without MongoDB."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from shared.apps import AppRegistry
from shared.health import Component
from shared.loops import run_periodically
from shared.models.app import App

log = logging.getLogger("carillon.ingest")

WATCH_SECONDS = 1.0
UNKNOWN_SECONDS = 0.1  # how soon the first read is noticed
_APPS: TypeAdapter[list[App]] = TypeAdapter(list[App])
# Listed, so that a secret which apps gain some day doesn't come onto a public host's disk unseen.
CACHED_APP_FIELDS = (
    "id", "name", "version", "enabled", "state", "keys", "origins", "login_hash",
    "allowed_logins", "snippet", "masked_parameters",
)  # fmt: skip


class AppDiskCache:
    """A file with the fields of apps that ingest needs: hashes of keys, the sealed login secret.

    OneSignal's REST keys aren't in it, sealed or not: only the sender calls OneSignal.
    """

    def __init__(self, path: Path, apps: AppRegistry, component: Component) -> None:
        self._path = path
        self._apps = apps
        self._component = component
        self._written = b""
        self._is_failing = False

    async def watch(self, stop: asyncio.Event) -> None:
        """Load the apps from disk, then write each change of the registry, until `stop`."""
        if not self._apps.loaded:
            self._load()
        await run_periodically(self._check, self._pause_seconds, stop)

    async def _check(self) -> None:
        if self._apps.loaded:
            self._component.beat()
            self._save(self._apps.apps)
        else:
            self._component.fail("apps_not_read")

    def _pause_seconds(self) -> float:
        return WATCH_SECONDS if self._apps.loaded else UNKNOWN_SECONDS

    def _load(self) -> None:
        try:
            self._written = self._path.read_bytes()
            self._apps.take(_APPS.validate_json(self._written), current=False)
        except FileNotFoundError:
            return
        except (OSError, ValidationError) as exc:
            log.warning("known apps unreadable", extra={"reason": type(exc).__name__})
            return
        log.info("apps loaded from disk")

    def _save(self, apps: Iterable[App]) -> None:
        kept = [_without_onesignal_key(app) for app in sorted(apps, key=lambda app: app.id)]
        content = _APPS.dump_json(kept, by_alias=True)
        if content == self._written:
            return
        beside = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            beside.unlink(missing_ok=True)
            beside.touch(mode=0o600)
            beside.write_bytes(content)
            beside.replace(self._path)
        except OSError as exc:  # tried again each second: an app of today may be needed tomorrow
            if not self._is_failing:
                log.warning("known apps not written", extra={"reason": type(exc).__name__})
            self._is_failing = True
            return
        self._is_failing = False
        self._written = content


def _without_onesignal_key(app: App) -> App:
    kept = {name: getattr(app, name) for name in CACHED_APP_FIELDS}
    return App.model_validate(
        {**kept, "one_signal": app.one_signal.model_copy(update={"rest_api_key": ""})}
    )
