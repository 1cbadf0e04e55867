"""Ids of persons, derived from logins and visitor ids, so that a replay derives the same."""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache

LOGIN_VISITOR = "login:"  # prefix of visitor ids that stand for a login, in servers' events
KEPT_IDS = 8_192  # a visitor's event asks for its names several times


class PersonIds:
    """Keyed hashes as ids: without the key an id reveals nothing about a login."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._name = lru_cache(KEPT_IDS)(self._hashed)

    def of_login(self, app: str, login: str) -> str:
        return self._name(app, "login", login)

    def of_visitor(self, app: str, visitor: str, start: str) -> str:
        """Return the id of an anonymous person: a browser since the event `start` ("0": the first)."""
        return self._name(app, "visitor", visitor, start)

    def visitor_of_login(self, app: str, login: str) -> str:
        """Return the visitor id of events that name the login instead of a browser."""
        return LOGIN_VISITOR + self._name(app, "visitor of login", login)

    def of_browser(self, app: str, visitor: str) -> str:
        """Return the id of a visitor's document, before and after its erasure."""
        return self._name(app, "browser", visitor)

    def _hashed(self, *parts: str) -> str:
        return hmac.new(self._key, "\x1f".join(parts).encode(), hashlib.sha256).hexdigest()[:32]
