"""What is blanked of an erased person in what the sender keeps. Pure.

Places stay, names go: outcomes, sums and cursors count on the places. Each name gets a marker of its
own, made up anew, so that two erased people stay two and neither can be followed.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sender_service.models.page import (
    Page,
    PageEdit,
    outcome_of,
    pending_members,
    root_of,
)
from shared.models.event import Event

MARK = "erased-"
PLURAL = {"logins": "login", "visitors": "visitor", "players": "player"}


@dataclass(frozen=True)
class Erased:
    """Who is to be forgotten: one person or several of an app, so that one reading does for all.
    `login_hashes` are the vault's keyed hashes; `hash_of` makes one."""

    app: str
    persons: frozenset[str]
    players: frozenset[str]
    visitors: frozenset[str]
    login_hashes: frozenset[str]
    hash_of: Callable[[str], str] = field(compare=False)

    @classmethod
    def of(cls, app: str, events: Sequence[Event], hash_of: Callable[[str], str]) -> Erased:
        """`events`: those of this app."""
        data = [event.data for event in events]
        aliases = [alias for told in data for alias in _list(told.get("aliases"))]
        return cls(
            app=app,
            persons=_texts([*(told.get("person") for told in data), *aliases]),
            players=_texts(player for told in data for player in _list(told.get("players"))),
            visitors=_texts(event.visitor_id for event in events),
            login_hashes=_texts(told.get("loginHash") for told in data),
            hash_of=hash_of,
        )

    @property
    def exact(self) -> frozenset[str]:
        """Names that are what they are wherever they stand."""
        return self.persons | self.players | self.visitors

    def names(self, kind: str, name: object) -> bool:
        """Does a recipient's `login`, `visitor` or `player` name the person?"""
        if not isinstance(name, str) or not name:
            return False
        if kind == "player":
            return name in self.players
        if kind == "visitor":
            return name in self.visitors
        return (
            kind == "login" and bool(self.login_hashes) and self.hash_of(name) in self.login_hashes
        )

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


def is_blank(member: list[str]) -> bool:
    return member[0].startswith(MARK)


def _nobody(kind: str) -> str:
    """A name that nobody has, of the shape that a trigger's must have."""
    return str(uuid.uuid4()) if kind == "player" else marker()


def recipients_without(
    recipients: list[dict[str, Any]], erased: Erased, path: str
) -> dict[str, Any]:
    """Path → what is to stand there. Places stay, so that a cursor still points where it did."""
    changes: dict[str, Any] = {}
    for index, recipient in enumerate(recipients):
        for kind in PLURAL.values():
            if erased.names(kind, recipient.get(kind)):
                blank = {**recipient, kind: _nobody(kind), "variables": {}}
                changes[f"{path}.{index}"] = blank
    return changes


def trigger_without(trigger: dict[str, Any], erased: Erased) -> dict[str, Any]:
    """Path within the trigger → what is to stand there; empty where it doesn't name the person.
    Variables that nobody shares with the person go too."""
    recipients = trigger.get("recipients") or []
    changes = recipients_without(recipients, erased, "recipients")
    total = len(recipients)
    for plural, kind in PLURAL.items():
        names = (trigger.get("audience") or {}).get(plural) or []
        total += len(names)
        for index, name in enumerate(names):
            if erased.names(kind, name):
                changes[f"audience.{plural}.{index}"] = _nobody(kind)
    if changes and len(changes) == total and trigger.get("variables"):
        changes["variables"] = {}
    return changes


def names_person(value: Any, erased: Erased) -> bool:
    """Does a JSON value name the person anywhere? For records that could not be understood, which may
    be nested as deep as a parser goes."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str) and one in erased.exact:
            return True
        if isinstance(one, dict):
            if _names_by_key(one, erased):
                return True
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return False


def _names_by_key(value: dict[str, Any], erased: Erased) -> bool:
    if any(erased.names(kind, value.get(kind)) for kind in PLURAL.values()):
        return True
    logins = value.get("logins")
    return isinstance(logins, list) and any(erased.names("login", name) for name in logins)


def page_without(edit: PageEdit, erased: Erased, now: datetime, *, wait: bool) -> bool:
    """Blank the person's members. With `wait`, those whose call is under way keep their names for
    now, so that its answer finds them: returns whether there are any.

    What was not called never will be. A call of which nobody knows whether it was taken is repeated,
    if at all, without the person.
    """
    under_way = False
    persons: dict[str, str] = {}
    touched: set[str] = set()
    for index, member in enumerate(edit.page["members"]):
        if not erased.is_member(member):
            continue
        if outcome_of(edit.page, index)[0] == "pending":
            if wait and _is_called(edit.page, member[2]):
                under_way = True
                continue
            edit.outcome(index, "suppressed", "erased")
            touched.add(member[2])
        person = persons.setdefault(member[1], marker())
        member[:] = [marker(), person if member[1] else "", member[2]]
        edit.changes["members"] = edit.page["members"]
    for chunk in touched:
        if not pending_members(edit.page, chunk):
            edit.chunk(chunk, state="suppressed", reason="erased", at=now)
    return under_way


def _is_called(page: Page, chunk: str) -> bool:
    state = page["chunks"][chunk]
    return state["attempted"] or state["state"] == "released"


def lonely_bodies(page: Page) -> list[int]:
    """Rendered texts that only erased people would have got."""
    roots: dict[str, bool] = {}
    for member in page["members"]:
        if member[2]:
            root = root_of(member[2])
            roots[root] = roots.get(root, True) and is_blank(member)
    return [int(root) for root, lonely in roots.items() if lonely]
