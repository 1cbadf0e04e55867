"""The apps on disk."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import pytest

from ingest_service.api.app_cache import CACHED_APP_FIELDS, AppDiskCache
from shared.apps import AppRegistry
from shared.clock import monotonic, utc_now
from shared.errors import StoreUnavailable
from shared.health import Health
from shared.models.app import App
from shared.mongo.client import open_database
from shared.settings import MongoSettings
from tests.support.ingest_api import VAULT, app


async def watched(path: Path, *known: str) -> tuple[AppRegistry, str | None]:
    """Return a registry after one look at the disk, and the health's error. `known`: apps it has read."""
    stop = asyncio.Event()
    async with open_database(MongoSettings(), "test") as database:  # never asked anything
        apps = AppRegistry(database, VAULT)
        if known:
            apps.take(app(name) for name in known)
        component = Health(utc_now, monotonic).component("apps", deadline_seconds=9)
        watching = asyncio.create_task(AppDiskCache(path, apps, component).watch(stop))
        await asyncio.sleep(0)
        stop.set()
        await watching
    return apps, component.error


async def test_apps_are_known_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "new" / "apps.json"
    await watched(path, "shop", "open")
    apps, error = await watched(path)
    assert apps.by_key("write", key="wk_shop")[0].id == "shop"
    assert error is None
    with pytest.raises(StoreUnavailable):  # it may be of an app that came since
        apps.by_key("write", key="wk_new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert b"wk_shop" not in path.read_bytes()


async def test_a_low_onesignals_keys_are_not_on_ingests_disk(tmp_path: Path) -> None:
    path = tmp_path / "apps.json"
    path.write_bytes(b"[]")  # also where an older version wrote the file
    await watched(path, "shop")
    content = path.read_bytes()
    assert b"sealed" not in content
    apps, _ = await watched(path)
    shop = apps.get("shop")
    assert shop is not None
    assert shop.one_signal.app_id == "11111111-2222-4333-8444-555555555555"
    assert shop.keys == app("shop").keys


def test_a_low_of_each_field_it_is_decided_whether_ingest_keeps_it() -> None:
    # A new field is kept (CACHED_APP_FIELDS), where ingest reads it, or named here.
    not_needed = {
        "one_signal", "providers", "stopped_because", "control_group", "cap", "time_zone",
        "quiet_hours", "scenarios",
    }  # fmt: skip
    assert set(App.model_fields) == {*CACHED_APP_FIELDS, *not_needed}


async def test_without_a_file_nothing_is_known(tmp_path: Path) -> None:
    apps, error = await watched(tmp_path / "apps.json")
    assert not apps.loaded
    assert error == "apps_not_read"


async def test_broken_file_is_no_file(tmp_path: Path) -> None:
    path = tmp_path / "apps.json"
    path.write_bytes(b'[{"_id": 7')
    apps, _ = await watched(path)
    assert not apps.loaded
    await watched(path, "shop")
    assert (await watched(path))[0].loaded
