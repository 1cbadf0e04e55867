"""Keys of an app: random values, their prefixes and their ids."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection

from shared.models.app import KeyKind

MAX_APP_KEYS = 32
APP_KEY_RANDOM_BYTES = 24
# What a secret scanner may look for, and whoever reads a page tell apart.
PREFIXES: dict[KeyKind, str] = {"write": "wk_", "server": "sk_", "webhook": "wh_", "stream": "es_"}
USES: dict[KeyKind, str] = {
    "write": "pages: public, names the app in the snippet",
    "server": "your own servers: events with proof, keep it secret",
    "webhook": "pages and OneSignal's worker: reports displays and clicks",
    "stream": "OneSignal's Event Streams: the bearer token of the stream",
}


def make_key(kind: KeyKind) -> str:
    """Return a random key; letters, digits, `-` and `_` may stand in a page and in a path."""
    return PREFIXES[kind] + secrets.token_urlsafe(APP_KEY_RANDOM_BYTES)


def next_id(requested: str, taken: Collection[str]) -> str:
    """Return `web`, or the first of `web-2`, `web-3` … that isn't taken."""
    base = re.sub(r"-[0-9]{1,4}$", "", requested)[:58]
    names = (base, *(f"{base}-{n}" for n in range(2, MAX_APP_KEYS + 2)))
    return next(name for name in names if name not in taken)
