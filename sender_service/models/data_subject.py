"""What is blanked of an erased person in what the sender keeps. Pure.

Places stay, names go: outcomes, sums and cursors count on the places. Each name gets a marker of its
own, made up anew, so that two erased people stay two and neither can be followed.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shared.models.event import Event

MARK = "erased-"
PLURAL = {"logins": "login", "visitors": "visitor", "players": "player"}


# Replicas' clocks differ, and a trigger may be on its way: what came so shortly after is from before.
ON_ITS_WAY = timedelta(seconds=10)
Until = Mapping[str, datetime]  # a name, and until when it is meant: later it is somebody new's


@dataclass(frozen=True)
class DataSubject:
    """Who is to be forgotten: one person or several of an app, so that one reading does for all.
    `login_hashes` are the vault's keyed hashes; `hash_of` makes one. `theirs`, on a second look: the
    members (player, person) that ingest knows now, when it has erased: who came back since."""

    app: str
    persons: Until
    players: Until
    visitors: Until
    login_hashes: Until
    hash_of: Callable[[str], str] = field(compare=False)
    current_owners: Collection[tuple[str, str]] | None = None

    @classmethod
    def of(cls, app: str, events: Sequence[Event], hash_of: Callable[[str], str]) -> DataSubject:
        """`events`: those of this app."""
        told = [(event.occurred_at + ON_ITS_WAY, event.data) for event in events]
        return cls(
            app=app,
            persons=_until(
                (name, at) for at, d in told for name in (d.get("person"), *_list(d.get("aliases")))
            ),
            players=_until((name, at) for at, d in told for name in _list(d.get("players"))),
            visitors=_until((e.visitor_id, e.occurred_at + ON_ITS_WAY) for e in events),
            login_hashes=_until((d.get("loginHash"), at) for at, d in told),
            hash_of=hash_of,
        )

    def exact(self, at: datetime) -> frozenset[str]:
        """Names that are what they are wherever they stood then."""
        every = (self.persons, self.players, self.visitors)
        return frozenset(name for names in every for name, until in names.items() if at <= until)

    def names(self, kind: str, name: object, at: datetime) -> bool:
        """Does a recipient's `login`, `visitor` or `player`, given then, name the person?"""
        if not isinstance(name, str) or not name:
            return False
        if kind == "player":
            return _is_meant(self.players, name, at)
        if kind == "visitor":
            return _is_meant(self.visitors, name, at)
        is_login = kind == "login" and bool(self.login_hashes)
        return is_login and _is_meant(self.login_hashes, self.hash_of(name), at)

    def may_cover(self, member: list[str]) -> bool:
        """A page's member, of whatever time. Players of nobody known are the person's where it is
        known to own them."""
        return member[1] in self.persons if member[1] else member[0] in self.players

    def covers(self, member: list[str], at: datetime) -> bool:
        """Of a page that was planned then. One from since then is the erased person's as well where
        it was planned while ingest still knew: but whom it knows now has come back."""
        names, name = (self.persons, member[1]) if member[1] else (self.players, member[0])
        if _is_meant(names, name, at):
            return True
        is_second_look = self.current_owners is not None and name in names
        return is_second_look and (member[0], member[1]) not in (self.current_owners or ())


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _until(told: Iterable[tuple[object, datetime]]) -> Until:
    """The last of several times."""
    last: dict[str, datetime] = {}
    for name, at in told:
        if isinstance(name, str) and name:
            last[name] = max(at, last.get(name, at))
    return last


def _is_meant(names: Until, name: str, at: datetime) -> bool:
    until = names.get(name)
    return until is not None and at <= until


def marker() -> str:
    return MARK + uuid.uuid4().hex[:16]


def is_blank(member: list[str]) -> bool:
    return member[0].startswith(MARK)


def _nobody(kind: str) -> str:
    """A name that nobody has, of the shape that a trigger's must have."""
    return str(uuid.uuid4()) if kind == "player" else marker()


def recipients_without(
    recipients: list[dict[str, Any]], erased: DataSubject, at: datetime, path: str = "recipients"
) -> dict[str, Any]:
    """Path → what is to stand there. Places stay, so that a cursor still points where it did."""
    changes: dict[str, Any] = {}
    for index, recipient in enumerate(recipients):
        for kind in PLURAL.values():
            if erased.names(kind, recipient.get(kind), at):
                blank = {**recipient, kind: _nobody(kind), "variables": {}}
                changes[f"{path}.{index}"] = blank
    return changes


def trigger_without(trigger: dict[str, Any], erased: DataSubject, at: datetime) -> dict[str, Any]:
    """Path within the trigger → what is to stand there; empty where it doesn't name the person.
    Variables that nobody shares with the person go too."""
    recipients = trigger.get("recipients") or []
    changes = recipients_without(recipients, erased, at)
    total = len(recipients)
    for plural, kind in PLURAL.items():
        names = (trigger.get("audience") or {}).get(plural) or []
        total += len(names)
        for index, name in enumerate(names):
            if erased.names(kind, name, at):
                changes[f"audience.{plural}.{index}"] = _nobody(kind)
    if changes and len(changes) == total and trigger.get("variables"):
        changes["variables"] = {}
    return changes


def standing_at(document: Any, paths: Iterable[str]) -> dict[str, Any]:
    """Path → what stands there now: an export shows what an erasure would blank."""
    shown: dict[str, Any] = {}
    for path in paths:
        value = document
        for step in path.split("."):
            value = value[int(step)] if isinstance(value, list) else value[step]
        shown[path] = value
    return shown


def names_person(value: Any, erased: DataSubject, at: datetime) -> bool:
    """Does a JSON value name the person anywhere? For records that could not be understood, which may
    be nested as deep as a parser goes."""
    waiting, exact = [value], erased.exact(at)
    while waiting:
        one = waiting.pop()
        if isinstance(one, str) and one in exact:
            return True
        if isinstance(one, dict):
            if _names_by_key(one, erased, at):
                return True
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return False


def _names_by_key(value: dict[str, Any], erased: DataSubject, at: datetime) -> bool:
    if any(erased.names(kind, value.get(kind), at) for kind in PLURAL.values()):
        return True
    logins = value.get("logins")
    return isinstance(logins, list) and any(erased.names("login", name, at) for name in logins)
