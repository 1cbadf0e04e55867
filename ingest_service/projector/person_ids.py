"""Names of persons: they follow from what is known, so that a replay names everybody the same."""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache

KEPT = 8_192  # a visitor's event asks for its names several times


class PersonIds:
    """Keyed hashes: an id says nothing about a login to whoever hasn't the key."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._name = lru_cache(KEPT)(self._hashed)

    def of_login(self, app: str, login: str) -> str:
        return self._name(app, "login", login)

    def of_visitor(self, app: str, visitor: str, start: str) -> str:
        """An anonymous person: a browser since the event that cut its epoch ("0": from the first)."""
        return self._name(app, "visitor", visitor, start)

    def of_browser(self, app: str, visitor: str) -> str:
        """What a visitor's document is called, before and after it is erased."""
        return self._name(app, "browser", visitor)

    def _hashed(self, *parts: str) -> str:
        return hmac.new(self._key, "\x1f".join(parts).encode(), hashlib.sha256).hexdigest()[:32]
