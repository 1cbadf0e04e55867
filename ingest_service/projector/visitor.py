"""A browser's document: epochs cut by logins and logouts, each with its contribution.

A login opens an epoch too, so that the anonymous epoch before it stays separate: undoing a merge
needs it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from ingest_service.projector.player import PlayerStatus, StatusChange, StatusMark
from shared.documents.merge import EventMark
from shared.documents.visitor import Contribution

STAND_IN = "os:"  # prefix of visitor ids of imported players that no browser has reported


class ErasedPlayer(NamedTuple):
    """A player that was erased with its person."""

    id: str
    mark: StatusMark


@dataclass(slots=True)
class Unmerge:
    """A merge of an epoch into `person`, which was undone."""

    person: str
    at: datetime
    event: str
    undone: EventMark


@dataclass(slots=True)
class Epoch:
    """A browser's time with one login, or without one.

    `anonymous_id` is the person that the epoch was opened for without a login. `identified_at` is
    the login that merged it into its person. `was_proven` is of an older epoch that was joined to it.
    """

    opened_by: str
    login: str | None
    anonymous_id: str | None
    identified_at: EventMark | None
    contribution: Contribution
    proven: bool = False
    was_proven: bool = False
    unmerged: list[Unmerge] = field(default_factory=list)
    never_merge_with: list[str] = field(default_factory=list)

    @property
    def has_proof(self) -> bool:
        """Return whether the epoch, or an older one that was joined to it, was proven."""
        return self.proven or self.was_proven


@dataclass(slots=True)
class Erasure:
    """A browser's erasures: the last one's event, and whose data all of them erased."""

    at: datetime
    event: str
    players: list[ErasedPlayer] = field(default_factory=list)
    persons: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Visitor:
    """A browser. `id` is a keyed hash; `visitor_id` is None once nobody's epochs are left.

    `seen_events` and `seen_boundaries` remember ids of events. `next_epoch_from` names the event that
    ended the last epoch without a new one.
    """

    id: str
    app: str
    visitor_id: str | None
    rev: int = 0
    epochs: list[Epoch] = field(default_factory=list)
    players: list[PlayerStatus] = field(default_factory=list)
    status_history: dict[str, list[StatusChange]] = field(default_factory=dict)
    persons: list[str] = field(default_factory=list)
    seen_events: bytes = b""
    seen_boundaries: bytes = b""
    erased: Erasure | None = None
    next_epoch_from: str | None = None

    @property
    def current_epoch(self) -> Epoch | None:
        """Return the present epoch; None before the first event, and after an erasure."""
        return self.epochs[-1] if self.epochs and self.next_epoch_from is None else None
