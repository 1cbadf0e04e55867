"""Who may do what: three roles, each may do what the ones below it may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["read", "operate", "admin"]
_RANK: dict[str, int] = {"read": 0, "operate": 1, "admin": 2}
BOOTSTRAP = "bootstrap"  # the token of the settings: an admin that is there before any other


@dataclass(frozen=True)
class Principal:
    """Whoever a token belongs to."""

    id: str
    name: str
    role: Role

    def may(self, role: Role) -> bool:
        return _RANK[self.role] >= _RANK[role]
