"""What is blanked of an erased person in what the sender keeps. Pure.

Places stay, names go: outcomes, sums and cursors count on the places. Each name gets a marker of its
own, made up anew, so that two erased people stay two and neither can be followed.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from shared.models.event import Event

ERASE = "carillon.erase"
UNDO_MERGE = "carillon.undoMerge"
MARK = "erased-"
PLURAL = {"logins": "login", "visitors": "visitor", "players": "player"}


@dataclass(frozen=True)
class Erased:
    """Who is to be forgotten. `login_hash` is the vault's keyed hash; `hash_of` makes one."""

    app: str
    persons: frozenset[str]
    players: frozenset[str]
    visitor: str
    login_hash: str | None
    hash_of: Callable[[str], str] = field(compare=False)

    @classmethod
    def of(cls, event: Event, hash_of: Callable[[str], str]) -> Erased:
        data = event.data
        return cls(
            app=event.app,
            persons=_texts([data.get("person"), *_list(data.get("aliases"))]),
            players=_texts(_list(data.get("players"))),
            visitor=event.visitor_id or "",
            login_hash=data.get("loginHash"),
            hash_of=hash_of,
        )

    def names(self, kind: str, name: object) -> bool:
        """Does a recipient's `login`, `visitor` or `player` name the person?"""
        if not isinstance(name, str) or not name:
            return False
        if kind == "player":
            return name in self.players
        if kind == "visitor":
            return name == self.visitor
        return kind == "login" and self.login_hash == self.hash_of(name)

    def is_member(self, member: list[str]) -> bool:
        """Of a page. Players of nobody known are the person's where it is known to own them."""
        if member[1]:
            return member[1] in self.persons
        return member[0] in self.players


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _texts(values: Iterable[object]) -> frozenset[str]:
    return frozenset(v for v in values if isinstance(v, str) and v)


def marker() -> str:
    return MARK + uuid.uuid4().hex[:16]


def blank_member(member: list[str]) -> list[str]:
    """The chunk stays: the outcome hangs on it."""
    return [marker(), marker(), member[2]]


def _blank_name(kind: str) -> str:
    """A name that nobody has, of the shape that a trigger's must have."""
    return str(uuid.uuid4()) if kind == "player" else marker()


def blank_recipients(value: Any, erased: Erased) -> tuple[Any, int, int]:
    """(a trigger or a part of one without the person, names blanked, names there were).

    Places in lists stay, so that a cursor into them still points where it did.
    """
    if isinstance(value, list):
        return _sum([blank_recipients(one, erased) for one in value])
    if not isinstance(value, dict):
        return value, 0, 0
    named = [(k, value[k]) for k in ("login", "visitor", "player") if value.get(k) is not None]
    if named:
        kind, name = named[0]
        if erased.names(kind, name):
            return {**value, kind: _blank_name(kind), "variables": {}}, 1, 1
        return value, 0, 1
    return _blank_dict(value, erased)


def _blank_dict(value: dict[str, Any], erased: Erased) -> tuple[Any, int, int]:
    fresh, blanked, total = {}, 0, 0
    for key, one in value.items():
        if key == "variables":
            fresh[key] = one
            continue
        if key in PLURAL and isinstance(one, list):
            kind = PLURAL[key]
            changed: Any = [_blank_name(kind) if erased.names(kind, n) else n for n in one]
            hits, names = sum(a is not b for a, b in zip(changed, one, strict=True)), len(one)
        else:
            changed, hits, names = blank_recipients(one, erased)
        fresh[key] = changed
        blanked, total = blanked + hits, total + names
    return fresh, blanked, total


def _sum(parts: list[tuple[Any, int, int]]) -> tuple[list[Any], int, int]:
    return [p[0] for p in parts], sum(p[1] for p in parts), sum(p[2] for p in parts)


def blank_trigger(trigger: dict[str, Any], erased: Erased) -> dict[str, Any] | None:
    """Without the person; None where it doesn't name it. Variables shared by nobody else go too."""
    fresh, blanked, total = blank_recipients(trigger, erased)
    if not blanked:
        return None
    if blanked == total and fresh.get("variables"):
        fresh["variables"] = {}
    return dict(fresh)
