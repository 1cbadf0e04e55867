"""Target of a send, and the candidates that it resolves to."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sender_service.models.recipient import Recipient
from sender_service.models.scenario.push_look import PushLook
from sender_service.models.segment import Segment
from sender_service.models.send import Send
from sender_service.models.trigger import Trigger
from shared.documents.profile import Profile
from shared.errors import Rejected

Cursor = Any  # [slot, person] or [part, index in it]: JSON, kept in the page


@dataclass(frozen=True)
class PlayerSelection:
    """Players that a name selects: one, or all of the person's (None), with the name's variables."""

    player: str | None = None
    variables: dict[str, Any] = field(default_factory=dict)


EVERYTHING = PlayerSelection()


class NamesUnknown(Exception):
    """A name of the list is unknown as yet; the send is planned again later."""


class MergeUnclear(Exception):
    """A merge may not be in the survivor's profile yet; the send is planned again later."""


@dataclass(frozen=True)
class Candidate:
    """Person of the audience, or a name without one. `cursor` resumes after it.

    `selections` are in the order of names: the first one that covers a player counts. `first`: no
    earlier name means the same person. `state`: the ledger's, of a named player. `persons`: ids among the
    names.
    """

    cursor: Cursor
    profile: Profile | None
    selections: tuple[PlayerSelection, ...] = (EVERYTHING,)
    first: bool = True
    state: str | None = None
    persons: tuple[str, ...] = ()
    look: PushLook | None = None  # of a scenario's send

    @property
    def player(self) -> str | None:
        """Player that the name selects."""
        return self.selections[0].player

    @property
    def player_ids(self) -> list[str]:
        """Players of the person's profile."""
        return [p["id"] for p in self.profile["players"]] if self.profile is not None else []

    def new_players(self, seen: Container[str], here: Container[str]) -> dict[str, PlayerSelection]:
        """Return the players that are new to the send, each with the first selection that covers it."""
        if self.profile is None:
            return {self.player: self.selections[0]} if self.player else {}
        names: dict[str | None, int] = {}
        for order, selection in enumerate(self.selections):
            names.setdefault(selection.player, order)
        selections: dict[str, PlayerSelection] = {}
        for player in self.player_ids:
            orders = [names[name] for name in (player, None) if name in names]
            if orders and player not in seen and player not in here:
                selections[player] = self.selections[min(orders)]
        return selections

    @property
    def is_elsewhere(self) -> bool:
        """Check whether the profile of the player's owner doesn't list it (yet, or any more)."""
        return self.player is not None and self.player not in self.player_ids

    @property
    def is_unknown(self) -> bool:
        """Check whether no player is known by the name."""
        if self.player is not None:
            return self.state is None
        return self.profile is None or not self.profile["players"]


@dataclass(frozen=True)
class Batch:
    """Candidates of one read, and the share of the audience that is read by then."""

    candidates: list[Candidate]
    share: float


@dataclass(frozen=True)
class Target:
    """Target of a send: a list (whole or in parts), a segment, or all people.

    A segment is evaluated at `now`, which stays the same when planning is resumed.
    """

    app: str
    now: datetime
    names: Sequence[Recipient] | None = None
    parts: Sequence[str] = ()
    segment: Segment | None = None
    can_postpone: bool = False  # unknown names may be known soon

    @property
    def is_list(self) -> bool:
        return self.names is not None or bool(self.parts)


def to_target(trigger: Trigger, now: datetime) -> Target:
    """Return the target of a complete trigger."""
    named = trigger.named()
    segment = trigger.audience.segment if trigger.audience is not None else None
    return Target(trigger.app, now, None if named is None else list(named), (), segment)


def target_of(send: Send) -> Target:
    """Return the send's target. Raises Rejected when parts of its list are missing."""
    parts = send.parts
    if parts is not None:
        if not parts.complete:
            missing = parts.total - len(parts.received)
            raise Rejected(f"{missing} of {parts.total} parts never came", code="parts_missing")
        ids = [parts.received[str(n + 1)] for n in range(parts.total)]
        return Target(send.app, send.due_at, None, ids)
    return to_target(Trigger.model_validate(send.trigger), send.due_at)
