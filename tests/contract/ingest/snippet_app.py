"""An app as the snippet reads it."""

from __future__ import annotations

from typing import Any

from shared.models.app import App
from shared.secrets import Vault

VAULT = Vault("a secret key that is long enough for tests")
APP_ID = "5eed0000-ca21-4110-8000-0000000de300"


def snippet_app(version: int = 1, **snippet: Any) -> App:
    keys = [("write", "wk_shop"), ("server", "sk_shop"), ("webhook", "wh_shop")]
    return App.model_validate(
        {
            "_id": "shop",
            "name": "Shop",
            "version": version,
            "oneSignal": {"appId": APP_ID, "restApiKey": VAULT.encrypt("os_v2_app_secret")},
            "keys": [{"id": k, "kind": kind, "hash": VAULT.hash_key(k)} for kind, k in keys],
            "loginHash": {"required": True, "secret": VAULT.encrypt("hmac secret")},
            "snippet": {"webhookKey": "wh_shop", **snippet},
        }
    )
