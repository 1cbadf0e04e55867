"""Whom a send is for, and the people that its audience turns out to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sender_service.models.segment import Segment
from sender_service.models.send import Send
from sender_service.models.trigger import Recipient, Trigger
from shared.errors import Rejected

Cursor = Any  # [slot, person] or [part, index in it]: JSON, kept in the page


@dataclass(frozen=True)
class PlayerSelection:
    """What one name of a list asks for: a player, or (None) all of a person's, under these variables."""

    player: str | None = None
    variables: dict[str, Any] = field(default_factory=dict)


EVERYTHING = PlayerSelection()


class NamesUnknown(Exception):
    """A name of an early list leads to nobody yet; it is to be planned again later."""


@dataclass(frozen=True)
class Candidate:
    """One person (or nobody behind a name) of the audience; `cursor` goes on after them.

    `wants` in the order of their names: a player that two of them mean is the first one's. `first`:
    no name before this one led to the same person. `state`: what the ledger says of a named player.
    """

    cursor: Cursor
    profile: dict[str, Any] | None
    wants: tuple[PlayerSelection, ...] = (EVERYTHING,)
    first: bool = True
    state: str | None = None

    @property
    def player(self) -> str | None:
        """The player that was named."""
        return self.wants[0].player

    @property
    def is_unknown(self) -> bool:
        """Whether no player is known by the name."""
        if self.player is not None:
            return self.state is None
        return self.profile is None or not self.profile["players"]


@dataclass(frozen=True)
class Batch:
    """What one read brought; `share` of the audience is behind it."""

    candidates: list[Candidate]
    share: float


@dataclass(frozen=True)
class Target:
    """Whom a send is for: a list (in itself, or in parts), a segment, or everybody.

    `now` is the moment that a segment is evaluated at, the same whenever planning is resumed.
    """

    app: str
    now: datetime
    names: Sequence[Recipient] | None = None
    parts: Sequence[str] = ()
    segment: Segment | None = None
    is_early: bool = False  # unknown names may be known soon

    @property
    def is_list(self) -> bool:
        return self.names is not None or bool(self.parts)


def to_target(trigger: Trigger, now: datetime) -> Target:
    """Of a trigger that is whole."""
    named = trigger.named()
    segment = trigger.audience.segment if trigger.audience is not None else None
    return Target(trigger.app, now, None if named is None else list(named), (), segment)


def target_of(send: Send) -> Target:
    """Raises Rejected when parts of its list never came."""
    parts = send.get("parts")
    if parts is not None:
        if not parts["complete"]:
            missing = parts["of"] - len(parts["got"])
            raise Rejected(f"{missing} of {parts['of']} parts never came", code="parts_missing")
        ids = [parts["got"][str(n + 1)] for n in range(parts["of"])]
        return Target(send["app"], send["dueAt"], None, ids)
    return to_target(Trigger.model_validate(send["trigger"]), send["dueAt"])
