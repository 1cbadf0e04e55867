"""Roles and apps of a caller: each of the three roles may do what the ones below it may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["read", "operate", "admin"]
Apps = frozenset[str] | None  # None: all of them, and what belongs to none
_RANK: dict[str, int] = {"read": 0, "operate": 1, "admin": 2}
BOOTSTRAP = "bootstrap"  # the token of the settings: an admin that is there before any other


@dataclass(frozen=True)
class Principal:
    """The owner of a token, with its role and apps."""

    id: str
    name: str
    role: Role
    apps: Apps = None

    def may(self, role: Role) -> bool:
        return _RANK[self.role] >= _RANK[role]

    def holds(self, app: str | None) -> bool:
        """Return whether the principal has this app; what has no app needs all apps."""
        return self.apps is None or app in self.apps

    def holds_all_of(self, apps: Apps) -> bool:
        return self.apps is None or (apps is not None and apps <= self.apps)
