"""Demo data to seed: the app `demo` with two campaigns, as the ops API takes them."""

from __future__ import annotations

from typing import Any

APP = "demo"
WRITE_KEY = "wk_demo"
SERVER_KEY = "sk_demo"
WEBHOOK_KEY = "wh_demo"
STREAM_SECRET = "es_demo"
LOGIN_SECRET = "ls_demo"  # under which the shop's server proves logins
SITE = "Bell & Rope"  # as pushes without a heading call it
STAND_IN_SDK = "/sdk/v16/OneSignalSDK.page.js"  # on the shop's own origin, whatever its name
CAMPAIGNS = ("welcome", "abandoned-basket")

# A profile may have no basket, and a template may be tried without any profile.
_ITEMS = "{% set items = ((profile|default({})).get('basket') or {}).get('items') or [] %}"

_WELCOME = {
    "headings": {
        "en": "Welcome to Bell & Rope",
        "de": "Willkommen bei Bell & Rope",
        "cs": "Vítejte v Bell & Rope",
    },
    "contents": {
        "en": "Good that you are here. Have a look at what rang in this week.",
        "de": "Schön, dass Sie da sind. Sehen Sie, was diese Woche eingetroffen ist.",
        "cs": "Jsme rádi, že jste tu. Podívejte se, co tento týden přišlo.",
    },
}

_ABANDONED_BASKET = {
    "headings": {
        "en": "Your basket is waiting",
        "de": "Ihr Warenkorb wartet",
        "cs": "Váš košík čeká",
    },
    "contents": {
        "en": _ITEMS + "{% if items|length > 1 %}{{ items|length }} things are still in it."
        "{% else %}Something is still in it.{% endif %} Shall we keep it for you?",
        "de": _ITEMS + "{% if items|length > 1 %}Noch {{ items|length }} Artikel liegen darin."
        "{% else %}Da liegt noch etwas.{% endif %} Sollen wir es aufheben?",
        "cs": _ITEMS + "{% if items|length > 1 %}Počet věcí, které v něm zůstaly: "
        "{{ items|length }}.{% else %}Něco v něm zůstalo.{% endif %} Máme ho schovat?",
    },
}


def app(
    shop_port: int, app_id: str, rest_api_key: str, sdk_url: str | None = None
) -> dict[str, Any]:
    """Return the app. `sdk_url` replaces OneSignal's own SDK."""
    keys = (
        ("browser", "write", WRITE_KEY),
        ("webhooks", "webhook", WEBHOOK_KEY),
        ("streams", "stream", STREAM_SECRET),
        ("server", "server", SERVER_KEY),
    )
    return {
        "name": "Demo shop",
        "enabled": True,
        "oneSignal": {"appId": app_id, "restApiKey": rest_api_key, "plan": "free"},
        "keys": [{"id": name, "kind": kind, "key": key} for name, kind, key in keys],
        "origins": [f"http://127.0.0.1:{shop_port}", f"http://localhost:{shop_port}"],
        # Optional, for pages with Persoo's loader send no proof. A shop of one's own requires it.
        "loginHash": {"required": False, "secret": LOGIN_SECRET},
        "quietHours": False,  # people try it at night, and again at once
        "timeZone": "Europe/Prague",  # scenarios with times of day may be switched on
        "scenarios": {"digestMinutes": 1, "gapMinutes": 0},
        "snippet": {
            "loadOneSignal": True,
            "workerPath": "/OneSignalSDKWorker.js",
            "webhookKey": WEBHOOK_KEY,
            "sdkUrl": sdk_url,
        },
    }


def campaigns(shop_url: str) -> dict[str, dict[str, Any]]:
    bodies = (
        _campaign("Welcome", _WELCOME, f"{shop_url}/"),
        _campaign("Abandoned basket", _ABANDONED_BASKET, f"{shop_url}/basket"),
    )
    return dict(zip(CAMPAIGNS, bodies, strict=True))


def _campaign(name: str, texts: dict[str, Any], url: str) -> dict[str, Any]:
    variant = {
        "id": "a",
        "weight": 1,
        **texts,
        "url": url,
        "icon": None,
        "image": None,
        "buttons": [],
        "data": {},
    }
    policy = {
        "browsers": "all",
        "holdout": 0,
        "cap": None,
        "quietHours": None,
        "ttlSeconds": 86_400,
        "notIfBoughtSince": False,
    }
    return {
        "name": name,
        "location": "PushNotificationLocation",
        "enabled": True,
        "variants": [variant],
        "policy": policy,
    }
