"""An app: a web shop with its OneSignal app, as both services read it from MongoDB."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from shared.models.wire import Wire

KeyKind = Literal["write", "server", "webhook", "stream"]
AppState = Literal["active", "stopped"]


class AppKey(Wire):
    """`hash` is the vault's keyed hash of the key; the key itself is stored nowhere."""

    id: str
    kind: KeyKind
    hash: str


class OneSignalApp(Wire):
    """`rest_api_key` is encrypted under the vault. `plan` sets the rate limit (ONESIGNAL.md B)."""

    app_id: str
    rest_api_key: str
    plan: Literal["free", "paid"] = "free"
    enabled: bool = True


class LoginHash(Wire):
    required: bool = False
    secret: str | None = None  # encrypted


class SnippetConfig(Wire):
    load_one_signal: bool = Field(default=True, alias="loadOneSignal")
    worker_path: str = "/OneSignalSDKWorker.js"


class App(Wire):
    """`state` "stopped": OneSignal refused the key or disabled the app; `resume` goes on."""

    id: str = Field(alias="_id")
    name: str
    version: int
    enabled: bool = True
    state: AppState = "active"
    stopped_because: str | None = None
    one_signal: OneSignalApp = Field(alias="oneSignal")
    keys: list[AppKey] = []
    origins: list[str] = []
    login_hash: LoginHash = LoginHash()
    snippet: SnippetConfig = SnippetConfig()
