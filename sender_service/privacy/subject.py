"""Rules that find and blank an erased person in the sender's data. Pure.

Positions stay and names go: outcomes, sums and cursors refer to positions. Each name gets a random
marker of its own. So two erased people stay distinct, and neither can be followed.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sender_service.models.erased_names import marker
from sender_service.models.recipient import NAME_FIELDS
from sender_service.models.send import NEVER
from shared.events.payloads import ErasePayload
from shared.events.registry import payload_of
from shared.models.event import Event

NAME_OF_PLURAL = {"logins": "login", "visitors": "visitor", "players": "player"}


# Replicas' clocks differ, and a trigger may be on its way: what came so shortly after is from before.
ON_ITS_WAY = timedelta(seconds=10)
Until = Mapping[str, datetime]  # a name, and until when it is meant: later it is somebody new's


@dataclass(frozen=True)
class DataSubject:
    """Names to erase, of one person or of several people of an app.

    `login_hashes` are the vault's keyed hashes; `hash_of` makes one. `current_owners` are the
    (player, person) pairs that ingest knows after its erasure. They are set for the second pass, to
    spare people who came back.
    """

    app: str
    persons: Until
    players: Until
    visitors: Until
    login_hashes: Until
    hash_of: Callable[[str], str] = field(compare=False)
    current_owners: Collection[tuple[str, str]] | None = None

    @classmethod
    def of(cls, app: str, events: Sequence[Event], hash_of: Callable[[str], str]) -> DataSubject:
        """Build the names from erase events of this app."""
        dated = [(e.occurred_at + ON_ITS_WAY, payload_of(e, ErasePayload)) for e in events]
        return cls(
            app=app,
            persons=_until(
                [
                    *((p.person, at) for at, p in dated),
                    # An anonymous person's id is one browser's, before one login: never somebody new's. A
                    # browser that came late may have been named by it until then.
                    *((name, NEVER) for _, p in dated for name in p.aliases),
                ]
            ),
            players=_until((name, at) for at, p in dated for name in p.players),
            visitors=_until((e.visitor_id, e.occurred_at + ON_ITS_WAY) for e in events),
            login_hashes=_until((p.login_hash, at) for at, p in dated),
            hash_of=hash_of,
        )

    def exact(self, at: datetime) -> frozenset[str]:
        """Return the names that were still the person's at that time, of every kind but logins."""
        every = (self.persons, self.players, self.visitors)
        return frozenset(name for names in every for name, until in names.items() if at <= until)

    def names(self, kind: str, name: object, at: datetime) -> bool:
        """Return whether a recipient's name of this kind named the person at that time."""
        if not isinstance(name, str) or not name:
            return False
        if kind == "player":
            return _is_meant(self.players, name, at)
        if kind == "visitor":
            return _is_meant(self.visitors, name, at)
        if kind == "person":
            return _is_meant(self.persons, name, at)
        is_login = kind == "login" and bool(self.login_hashes)
        return is_login and _is_meant(self.login_hashes, self.hash_of(name), at)

    def may_cover(self, member: list[str]) -> bool:
        """Return whether a page's member is the person's at any time. A player without a person is
        theirs if they are known to own it."""
        return member[1] in self.persons if member[1] else member[0] in self.players

    def covers(self, member: list[str], at: datetime) -> bool:
        """Return whether a member of a page that was planned at that time is the person's.

        The second pass also covers later pages, except for members that ingest knows now.
        """
        names, name = (self.persons, member[1]) if member[1] else (self.players, member[0])
        if _is_meant(names, name, at):
            return True
        is_second_look = self.current_owners is not None and name in names
        return is_second_look and (member[0], member[1]) not in (self.current_owners or ())


def _until(dated: Iterable[tuple[str | None, datetime]]) -> Until:
    """Return the latest time of each name."""
    last: dict[str, datetime] = {}
    for name, at in dated:
        if name:
            last[name] = max(at, last.get(name, at))
    return last


def _is_meant(names: Until, name: str, at: datetime) -> bool:
    until = names.get(name)
    return until is not None and at <= until


def _nobody(kind: str) -> str:
    """Return a random name that nobody has and that a trigger accepts."""
    return str(uuid.uuid4()) if kind == "player" else marker()


def recipients_without(
    recipients: list[dict[str, Any]], erased: DataSubject, at: datetime, path: str = "recipients"
) -> dict[str, Any]:
    """Return path → blanked recipient. Positions stay, so cursors stay valid."""
    changes: dict[str, Any] = {}
    for index, recipient in enumerate(recipients):
        for kind in NAME_FIELDS:
            if erased.names(kind, recipient.get(kind), at):
                blank = {**recipient, kind: _nobody(kind), "variables": {}}
                changes[f"{path}.{index}"] = blank
    return changes


def trigger_without(trigger: dict[str, Any], erased: DataSubject, at: datetime) -> dict[str, Any]:
    """Return path in the trigger → blanked value; empty if it doesn't name the person. Shared
    variables are blanked when no other recipient is left."""
    recipients = trigger.get("recipients") or []
    changes = recipients_without(recipients, erased, at)
    total = len(recipients)
    for plural, kind in NAME_OF_PLURAL.items():
        names = (trigger.get("audience") or {}).get(plural) or []
        total += len(names)
        for index, name in enumerate(names):
            if erased.names(kind, name, at):
                changes[f"audience.{plural}.{index}"] = _nobody(kind)
    if changes and len(changes) == total and trigger.get("variables"):
        changes["variables"] = {}
    return changes


def standing_at(document: Any, paths: Iterable[str]) -> dict[str, Any]:
    """Return path → current value, so an export lists what an erasure would blank."""
    values: dict[str, Any] = {}
    for path in paths:
        value = document
        for step in path.split("."):
            value = value[int(step)] if isinstance(value, list) else value[step]
        values[path] = value
    return values


def names_person(value: Any, erased: DataSubject, at: datetime) -> bool:
    """Return whether a JSON value names the person at any depth."""
    # For records that couldn't be parsed, which may be nested as deep as a parser goes.
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
    if any(erased.names(kind, value.get(kind), at) for kind in NAME_FIELDS):
        return True
    logins = value.get("logins")
    return isinstance(logins, list) and any(erased.names("login", name, at) for name in logins)
