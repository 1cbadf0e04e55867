"""Entry of the player ledger, as stored."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NotRequired, TypedDict


class PreviousOwner(TypedDict):
    """A person who had the player; `until` by the projector's clock."""

    person: str
    until: datetime


class StampFields(TypedDict):
    """Fields that order entries: an event's time, id, time of receipt and offset."""

    at: datetime
    event: str
    received: NotRequired[datetime]
    offset: NotRequired[int]


class PlayerStatusFields(StampFields):
    """A browser's status of a player."""

    id: str
    status: str
    state: str
    reason: str | None
    permission: str | None
    sdk: str | None
    browser: str | None
    proof: NotRequired[StampFields]  # the last proof of a login while the browser had the player
    since: NotRequired[datetime]  # of an erased player


class StatusChangeFields(StampFields):
    """A change of a player's state; `person` is the owner at that time, absent in a provider's."""

    state: str
    reason: str | None
    person: NotRequired[str | None]


class Claim(TypedDict):
    """A browser's claim to a player. An erased player's names nobody."""

    visitor: str
    person: str
    proven: bool
    status: PlayerStatusFields


class Player(Claim):
    """Entry of the ledger: its own claim is the ruling one, `rival` another browser's.

    `state`, `reason`, `since`, `sdk` and `browser` follow from `status` and `report`.
    """

    _id: str
    rev: int
    app: str
    previous: list[PreviousOwner]
    rival: Claim | None
    report: StatusChangeFields | None
    history: list[StatusChangeFields]
    state: str
    reason: str | None
    since: datetime
    sdk: str | None
    browser: str | None
    lastSeenAt: datetime
    changedAt: datetime
    provider: NotRequired[str]  # absent: the default one (shared/providers.py)
    subscription: NotRequired[dict[str, Any]]  # of a browser, where its provider needs one
