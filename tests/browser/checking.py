"""Setup of carillon('check') tests: the real ingest API, and a page on which all is right."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from shared.models.app import App
from tests.browser.sdks import PLAYER
from tests.support.ingest_api import VAULT, Api, app

WORKER = 'importScripts("https://cdn.onesignal.com/sdks/web/v16/OneSignalSDK.sw.js");'
APP = "11111111-2222-4333-8444-555555555555"  # OneSignal's, of the shop
READY = f"Object.assign(sdk, {{id: '{PLAYER}', on: true}});"
Check = Callable[..., Awaitable[dict[str, Any]]]


class Ingest:
    """The real API, without Kafka and MongoDB; `shop` sets its one app."""

    def __init__(self, api: Api, url: str) -> None:
        self.api, self.url = api, url
        self.version = 0

    def shop(
        self, *, keys: bool = True, snippet: dict[str, Any] | None = None, **more: Any
    ) -> None:
        self.version += 1
        settings = {"webhookKey": "wh_shop", "loadOneSignal": False, **(snippet or {})}
        secret = {"required": True, "secret": VAULT.encrypt("hmac secret")}
        found = app("shop", snippet=settings, **{"loginHash": secret, **more}).model_copy(
            update={"version": self.version}
        )
        self.api.apps.take([found if keys else without_keys(found)])


def without_keys(found: App) -> App:
    return found.model_copy(update={"keys": []})


def kept_by_init(ingest: Ingest, app_id: str = APP, **changes: Any) -> Any:
    """Return the records that a right `init` leaves, of either version of the SDK."""
    hook = f"{ingest.url}/v1/webhooks/onesignal/wh_shop"
    names = ("willDisplay", "displayed", "clicked", "dismissed")
    return [app_id, dict.fromkeys(names, hook) | changes]


def oks(report: dict[str, Any]) -> dict[str, bool | None]:
    return {name: ok for name, (ok, _) in report.items()}


ALL_RIGHT = {
    "key": True, "origin": True, "events": True, "sdk": True, "app": True, "worker": True,
    "permission": True, "player": True, "webhook": True, "consent": True, "login": None,
}  # fmt: skip
