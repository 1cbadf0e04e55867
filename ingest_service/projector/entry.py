"""Changes of one entry of the player ledger. Pure: each returns the changed entry, or None."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from ingest_service.projector.claims import with_claims
from ingest_service.projector.player import (
    ERASED_PLAYER,
    NEVER_HEARD,
    NOBODY,
    Claim,
    LedgerEntry,
    PlayerStatus,
    StatusChange,
    StatusMark,
)
from ingest_service.projector.player_reports import PlayerReport
from ingest_service.projector.status_history import join_histories


def unclaimed(app: str, player: str, at: datetime, rev: int = 0) -> LedgerEntry:
    """Return the entry of a player that no browser has reported."""
    status = PlayerStatus(
        player, "default", "unsubscribed", "unknown", None, None, None, NEVER_HEARD, ""
    )
    claim = Claim(NOBODY, NOBODY, False, status)
    return LedgerEntry(player, app, rev, claim, None, None, [], [], at)


def report(known: LedgerEntry, player_report: PlayerReport, now: datetime) -> LedgerEntry | None:
    """Apply OneSignal's report; return the changed entry, None if nothing changes."""
    # A later status of the browser makes the player reachable again.
    change, changed = player_report.status_change(), known.copy()
    changed.history = join_histories(known.history, [change])
    if known.report is None or change.stamp > known.report.stamp:
        changed.report = change
    return with_derived_fields(known, changed, now)


def mark_erased(
    known: LedgerEntry, mark: StatusMark, names: Collection[str], since: datetime, now: datetime
) -> LedgerEntry | None:
    """Mark a player as erased at `mark`; a later claim of its browser stays.

    `names` are the visitor ids of the browser. Returns the changed entry, None if nothing changes.
    """
    # A claim without an owner replaces the browser's, with its proof, so that an older claim of another
    # browser doesn't rule again.
    at, received, offset, event = mark.stamp
    status = PlayerStatus(
        known.id, "default", ERASED_PLAYER, ERASED_PLAYER, None, None, None, at, f"{event}~",
        received, offset, mark.proof, since,
    )  # fmt: skip
    others = [c for c in known.claims() if c.visitor not in names or c.status.stamp > mark.stamp]
    for claim in others:
        if claim.status.stamp == status.stamp and claim.status.since is not None:
            status.since = max(since, claim.status.since)  # erased twice: the order doesn't matter
    claims = [Claim(NOBODY, NOBODY, False, status), *others]
    return with_derived_fields(known, with_claims(known, claims, now), now)


def scrub(
    known: LedgerEntry, erased: Collection[str], since: datetime, now: datetime
) -> LedgerEntry | None:
    """Remove erased persons; return the changed entry, None if nothing changes."""
    changed = known.copy()
    changed.previous = [former for former in known.previous if former["person"] not in erased]
    changed.history = [c for c in known.history if c.person not in erased or c.at > since]
    return with_derived_fields(known, changed, now)


def with_derived_fields(
    known: LedgerEntry, changed: LedgerEntry, now: datetime
) -> LedgerEntry | None:
    """Return the entry with its derived fields, None if it equals the known one."""
    status, reported = changed.claim.status, changed.report
    changed.sdk, changed.browser = status.sdk, status.browser
    changed.last_seen_at = max(status.at, changed.last_seen_at)
    if status.state == ERASED_PLAYER:
        changed.state, changed.reason = ERASED_PLAYER, status.reason
        changed.since = status.since or changed.since
        changed.subscription = None  # its address and keys belong to the erased browser
    else:
        is_reported = reported is not None and reported.at >= status.at
        last = reported if reported is not None and is_reported else status
        changed.state, changed.reason = last.state, last.reason
        changed.since = _since(changed.history, last.state, last.at)
    if changed.state != known.state or changed.person != known.person:
        changed.changed_at = now
    return changed if changed != known else None


def _since(history: list[StatusChange], state: str, at: datetime) -> datetime:
    """Return the start of the state: the first of the last changes that all have it."""
    for change in reversed(history):  # the same, however events were cut into batches
        if change.state != state:
            break
        at = min(at, change.at)
    return at
