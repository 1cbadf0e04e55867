"""A player in the ledger: its statuses, their changes, the browsers' claims, and its entry."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ingest_service.projector.lww import Stamp
from shared.documents.player import PreviousOwner

NOBODY = ""
ERASED_PLAYER = "erased"
SUBSCRIBED_PLAYER = "subscribed"
NEVER_HEARD = datetime(1970, 1, 1, tzinfo=UTC)


class StatusMark(NamedTuple):
    """Place of a status in the order of all, and the last proof of a login while it lasted."""

    stamp: Stamp
    proof: Stamp | None


@dataclass(slots=True)
class StatusChange:
    """A change of a player's state. `person` is its owner then; None in OneSignal's reports."""

    state: str
    reason: str | None
    person: str | None
    at: datetime
    event: str
    received: datetime | None = None  # OneSignal's reports have neither this nor an offset
    offset: int = 0

    @property
    def stamp(self) -> Stamp:
        return self.at, self.received or self.at, self.offset, self.event


@dataclass(slots=True)
class PlayerStatus:
    """A browser's last status of a player. `since`: when an erased player was erased."""

    id: str
    status: str
    state: str
    reason: str | None
    permission: str | None
    sdk: str | None
    browser: str | None
    at: datetime
    event: str
    received: datetime | None = None
    offset: int = 0
    proof: Stamp | None = None
    since: datetime | None = None

    @property
    def stamp(self) -> Stamp:
        return self.at, self.received or self.at, self.offset, self.event

    @property
    def mark(self) -> StatusMark:
        return StatusMark(self.stamp, self.proof)

    def copy(self) -> PlayerStatus:
        return PlayerStatus(
            self.id, self.status, self.state, self.reason, self.permission, self.sdk, self.browser,
            self.at, self.event, self.received, self.offset, self.proof, self.since,
        )  # fmt: skip


@dataclass(slots=True)
class Claim:
    """A browser's claim to a player, for the person that it belongs to."""

    visitor: str
    person: str
    proven: bool
    status: PlayerStatus


@dataclass(slots=True)
class LedgerEntry:
    """A player in the ledger. The ruling claim decides its owner; `rival` is another browser's.

    `state`, `reason`, `since`, `sdk` and `browser` follow from the ruling status and `report`,
    OneSignal's last one. A state of "" is that of an entry that isn't stored yet.
    """

    id: str
    app: str
    rev: int
    claim: Claim
    rival: Claim | None
    report: StatusChange | None
    history: list[StatusChange]
    previous: list[PreviousOwner]
    last_seen_at: datetime
    state: str = ""
    reason: str | None = None
    since: datetime = field(default=NEVER_HEARD)
    sdk: str | None = None
    browser: str | None = None
    changed_at: datetime = field(default=NEVER_HEARD)
    provider: str | None = None  # who delivers to it; None: the default one
    subscription: dict[str, Any] | None = None  # of its browser, where the provider needs one

    @property
    def person(self) -> str:
        return self.claim.person

    @property
    def owners(self) -> set[str]:
        """Persons who have the player, or had it."""
        return {self.person, *(former["person"] for former in self.previous)} - {NOBODY}

    def claims(self) -> list[Claim]:
        """Return the claims, the ruling one first."""
        return [self.claim] if self.rival is None else [self.claim, self.rival]

    def copy(self) -> LedgerEntry:
        """Return a copy, whose fields may be replaced."""
        return LedgerEntry(
            self.id, self.app, self.rev, self.claim, self.rival, self.report, self.history,
            self.previous, self.last_seen_at, self.state, self.reason, self.since, self.sdk,
            self.browser, self.changed_at, self.provider, self.subscription,
        )  # fmt: skip
