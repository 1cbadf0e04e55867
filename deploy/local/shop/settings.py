"""Settings of the shop: its address, and the URLs and keys of its pages (`CARILLON_SHOP__…`)."""

from __future__ import annotations

from typing import Any

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from deploy.local import demo
from deploy.local.settings import DEMO_APP_ID

REAL_ONESIGNAL = ["https://cdn.onesignal.com", "https://api.onesignal.com", "https://onesignal.com"]


class ShopSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="CARILLON_SHOP__", extra="ignore")

    host: str = "127.0.0.1"
    port: int = Field(8099, ge=0, le=65_535)
    ingest_url: str = "http://127.0.0.1:8080"
    sender_url: str = "http://127.0.0.1:8090"
    sandbox_url: str | None = None  # None: a real OneSignal, which this page can't stand in for
    app: str = demo.APP
    write_key: str = demo.WRITE_KEY
    webhook_key: str = demo.WEBHOOK_KEY
    onesignal_app_id: str = DEMO_APP_ID
    login_secret: SecretStr = SecretStr(demo.LOGIN_SECRET)

    def for_pages(self) -> dict[str, Any]:
        """Return the settings that browsers may know."""
        return {
            "ingest": self.ingest_url,
            "sandbox": self.sandbox_url,
            "writeKey": self.write_key,
            "webhook": f"{self.ingest_url}/v1/webhooks/onesignal/{self.webhook_key}",
            "oneSignalAppId": self.onesignal_app_id,
        }

    def snippet_url(self) -> str:
        return f"{self.ingest_url}/v1/snippet.js?key={self.write_key}"

    def content_policy(self) -> str:
        """Return the Content-Security-Policy."""
        # Carillon needs its address in script-src and in connect-src, and nothing else.
        real = [] if self.sandbox_url else REAL_ONESIGNAL
        scripts = " ".join(["'self'", self.ingest_url, *real])
        called = " ".join(["'self'", self.ingest_url, *(real or [str(self.sandbox_url)])])
        return (
            f"default-src 'none'; script-src {scripts}; worker-src 'self'; style-src 'self';"
            f" img-src 'self' https: data:; connect-src {called}; form-action 'self';"
            " base-uri 'none'; frame-ancestors 'none'"
        )
