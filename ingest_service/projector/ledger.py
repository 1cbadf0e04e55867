"""The player ledger: the owner of each player id, and whether it can be reached. Pure.

A player belongs to a browser, and so to that browser's person; `claims` decides which one. Its state is
the latest of that browser's status and OneSignal's report.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from operator import attrgetter

from ingest_service.projector.browser import Browser
from ingest_service.projector.claims import with_claims
from ingest_service.projector.entry import (
    mark_erased,
    report,
    scrub,
    unclaimed,
    with_derived_fields,
)
from ingest_service.projector.player import (
    NOBODY,
    Claim,
    LedgerEntry,
    PlayerStatus,
    StatusChange,
)
from ingest_service.projector.player_reports import PlayerReport
from ingest_service.projector.proof import last_proof
from ingest_service.projector.status_history import join_histories
from shared.models.event import Event


class Ledger:
    """The players of a batch, with their changes and the persons that these affect."""

    def __init__(self, known: dict[str, LedgerEntry], now: datetime) -> None:
        self._players = known
        self._now = now
        self._changed: set[str] = set()
        self.affected: set[tuple[str, str]] = set()  # (app, person)

    @property
    def changed(self) -> list[LedgerEntry]:
        return [self._players[player] for player in sorted(self._changed)]

    @property
    def players(self) -> Mapping[str, LedgerEntry]:
        """All players that the batch has met, by id."""
        return self._players

    def assign_players(self, browser: Browser) -> None:
        """Assign the browser's players to its present owner."""
        visitor, owner = browser.visitor, browser.owner
        for status in visitor.players:
            known = self._players.get(status.id)
            claim = Claim(str(visitor.visitor_id), owner, browser.is_proven, status)
            history = visitor.status_history.get(status.id, [])
            self._put(known, assign_player(known, visitor.app, claim, history, self._now))
            if browser.repeated:
                self._mark_affected(self._players[status.id])

    def erase(self, browser: Browser) -> None:
        """Mark the players that the browser's erasures name, and remove erased persons from them."""
        # A later status of such a player, of any browser, makes it a player again.
        visitor, erased = browser.visitor, browser.visitor.erased
        if erased is None:
            return
        persons, app, since = browser.erased_persons(), visitor.app, erased.at
        names = {str(event.visitor_id) for event in browser.erasures}
        for player, mark in erased.players:
            known = self._players.get(player)
            if known is None or known.app == app:
                before = known or unclaimed(app, player, since)
                self._put(known, mark_erased(before, mark, names, since, self._now))
        for player in browser.named_players():
            self._erase_claims(app, player, persons, since)
        for player in {one.id for one in erased.players} | {one.id for one in visitor.players}:
            known = self._players.get(player)
            if known is not None and known.app == app:
                self._put(known, scrub(known, persons, since, self._now))

    def _erase_claims(
        self, app: str, player: str, persons: Collection[str], since: datetime
    ) -> None:
        known = self._players.get(player)
        if known is None or known.app != app:
            return
        for erased in [claim for claim in known.claims() if claim.person in persons]:
            changed = mark_erased(known, erased.status.mark, {erased.visitor}, since, self._now)
            self._put(known, changed)
            known = changed or known

    def report(self, player_report: PlayerReport) -> None:
        """Apply OneSignal's report. An unknown player gets an entry, for a browser to claim."""
        known = self._players.get(player_report.player)
        if known is None:
            if not player_report.is_news:
                return
            known = unclaimed(player_report.app, player_report.player, player_report.at)
        elif known.app != player_report.app:
            return
        self._put(known, report(known, player_report, self._now))
        if player_report.player in self._players:
            self._mark_affected(self._players[player_report.player])

    def note_activity(self, app: str, player: str, at: datetime) -> None:
        """Note the time of a player's activity, without a write of its profile."""
        known = self._players.get(player)
        if known is None or known.app != app or known.person == NOBODY:
            return
        if at > known.last_seen_at:
            known.last_seen_at = at
            self._changed.add(player)

    def _put(self, known: LedgerEntry | None, changed: LedgerEntry | None) -> None:
        if changed is None:
            return
        self._players[changed.id] = changed
        self._changed.add(changed.id)
        for entry in (known, changed):
            if entry is not None and entry.person != NOBODY:
                self.affected.add((entry.app, entry.person))

    def _mark_affected(self, entry: LedgerEntry) -> None:
        """Mark all owners of a player as affected, without a change of the player."""
        # A batch that crashed before it wrote the profiles may have written the player.
        self.affected |= {(entry.app, person) for person in entry.owners}


def fold_players(
    known: dict[str, LedgerEntry],
    browsers: Iterable[Browser],
    reports: Iterable[PlayerReport],
    activity: Iterable[tuple[Event, str]],
    now: datetime,
) -> Ledger:
    """Fold a batch's browsers, reports and activity into its players."""
    ledger = Ledger(known, now)
    for browser in browsers:
        if browser.erasures:
            ledger.erase(browser)
        ledger.assign_players(browser)
    for player_report in reports:
        ledger.report(player_report)
    for event, player in activity:
        ledger.note_activity(event.app, player, event.occurred_at)
    return ledger


def assign_player(
    known: LedgerEntry | None, app: str, claim: Claim, changes: list[StatusChange], now: datetime
) -> LedgerEntry | None:
    """Return the entry after a browser's status, None if nothing changes."""
    status = claim.status
    if known is None or (known.app != app and known.person == NOBODY):
        known = unclaimed(app, status.id, status.at, rev=known.rev if known else 0)
    elif known.app != app:
        return None  # another app's page names a player that isn't its own
    claims = known.claims()
    own = [c.status for c in claims if c.visitor == claim.visitor]
    others = [c for c in claims if c.visitor != claim.visitor]
    claim.status = _last_status(status, *own)
    if claim in claims and changes == known.history:
        return None  # as after most events: of a browser that reported nothing new
    changed = with_claims(known, [*others, claim], now)
    changed.history = join_histories(known.history, changes)
    return with_derived_fields(known, changed, now)


def _last_status(*statuses: PlayerStatus) -> PlayerStatus:
    """Return the browser's last status of the player, with its last proof."""
    last = max(statuses, key=attrgetter("stamp")).copy()
    last.proof = last_proof(*(status.proof for status in statuses))
    return last
