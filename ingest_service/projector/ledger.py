"""The player ledger: the owner of each player id, and whether it can be reached. Pure.

A player belongs to a browser, and so to that browser's person; `claims` decides which one. Its state is
the latest of that browser's status and OneSignal's report.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from ingest_service.projector.claims import NOBODY, claims_of, with_claims
from ingest_service.projector.entry import (
    join_history,
    mark_erased,
    report,
    scrub,
    unclaimed,
    with_derived_fields,
)
from ingest_service.projector.lww import Document, stamp
from ingest_service.projector.player_reports import PlayerReport
from ingest_service.projector.proof import carry_proof
from ingest_service.projector.visitor import Visitor


class Ledger:
    """The players of a batch, with their changes and the persons that these affect."""

    def __init__(self, known: dict[str, Document], now: datetime) -> None:
        self._players = known
        self._now = now
        self._changed: set[str] = set()
        self.affected: set[tuple[str, str]] = set()  # (app, person)

    @property
    def changed(self) -> list[Document]:
        return [self._players[player] for player in sorted(self._changed)]

    @property
    def players(self) -> Mapping[str, Document]:
        """All players that the batch has met, by id."""
        return self._players

    def assign_players(self, visitor: Visitor) -> None:
        """Assign the browser's players to its present owner."""
        for entry in visitor.state["players"]:
            known = self._players.get(entry["id"])
            self._put(known, assign_players(known, entry, visitor, self._now))
            if visitor.repeated:
                self._mark_affected(self._players[entry["id"]])

    def erase(self, visitor: Visitor) -> None:
        """Mark the players that the browser's erasures name, and remove erased persons from them."""
        # A later status of such a player, of any browser, makes it a player again.
        persons = visitor.erased_persons()
        erased = visitor.state["erased"]
        app, since = visitor.state["app"], erased["at"]
        names = {str(event.visitor_id) for event in visitor.erasures}
        for entry in erased["players"]:
            known = self._players.get(entry["id"])
            if known is None or known["app"] == app:
                before = known or unclaimed(app, entry["id"], since)
                self._put(known, mark_erased(before, entry, names, since, self._now))
        for player in {p for event in visitor.erasures for p in named_players(event.data)}:
            self._erase_claims(app, player, persons, since)
        for player in {*_ids(erased["players"]), *_ids(visitor.state["players"])}:
            known = self._players.get(player)
            if known is not None and known["app"] == app:
                self._put(known, scrub(known, persons, since, self._now))

    def _erase_claims(
        self, app: str, player: str, persons: Collection[str], since: datetime
    ) -> None:
        known = self._players.get(player)
        if known is None or known["app"] != app:
            return
        for erased in [claim for claim in claims_of(known) if claim["person"] in persons]:
            changed = mark_erased(known, erased["status"], {erased["visitor"]}, since, self._now)
            self._put(known, changed)
            known = changed or known

    def report(self, player_report: PlayerReport) -> None:
        """Apply OneSignal's report. An unknown player gets an entry, for a browser to claim."""
        known = self._players.get(player_report.player)
        if known is None:
            if not player_report.is_news:
                return
            known = unclaimed(player_report.app, player_report.player, player_report.at)
        elif known["app"] != player_report.app:
            return
        self._put(known, report(known, player_report, self._now))
        if player_report.player in self._players:
            self._mark_affected(self._players[player_report.player])

    def note_activity(self, app: str, player: str, at: datetime) -> None:
        """Note the time of a player's activity, without a write of its profile."""
        known = self._players.get(player)
        if known is None or known["app"] != app or known["person"] == NOBODY:
            return
        if at > known["lastSeenAt"]:
            self._players[player] = {**known, "lastSeenAt": at}
            self._changed.add(player)

    def _put(self, known: Document | None, changed: Document | None) -> None:
        if changed is None:
            return
        self._players[changed["_id"]] = changed
        self._changed.add(changed["_id"])
        for player in (known, changed):
            if player is not None and player["person"] != NOBODY:
                self.affected.add((player["app"], player["person"]))

    def _mark_affected(self, player: Document) -> None:
        """Mark all owners of a player as affected, without a change of the player."""
        # A batch that crashed before it wrote the profiles may have written the player.
        people = {player["person"], *(former["person"] for former in player["previous"])}
        self.affected |= {(player["app"], person) for person in people - {NOBODY}}


def assign_players(
    known: Document | None, entry: Document, visitor: Visitor, now: datetime
) -> Document | None:
    """Return the ledger's document after a browser's status, None if nothing changes."""
    state = visitor.state
    changes = state.get("statusHistory", {}).get(entry["id"], [])
    if known is None or (known["app"] != state["app"] and known["person"] == NOBODY):
        known = unclaimed(state["app"], entry["id"], entry["at"], rev=known["rev"] if known else 0)
    elif known["app"] != state["app"]:
        return None  # another app's page names a player that isn't its own
    own = [c for c in claims_of(known) if c["visitor"] == state["visitor"]]
    others = [c for c in claims_of(known) if c["visitor"] != state["visitor"]]
    mine = {
        "visitor": state["visitor"], "person": visitor.owner, "proven": visitor.is_proven,
        "status": _last_status(entry, *(c["status"] for c in own)),
    }  # fmt: skip
    changed = with_claims(known, [*others, mine], now)
    return with_derived_fields(known, {**changed, "history": join_history(known, changes)}, now)


def _last_status(entry: Document, *before: Document) -> Document:
    """Return the browser's last status of the player, with its last proof."""
    last = max([entry, *before], key=stamp).copy()
    for one in (entry, *before):
        carry_proof(one, last)
    return last


def named_players(data: Document) -> Collection[str]:
    listed = data.get("players")
    return [p for p in listed if isinstance(p, str)] if isinstance(listed, list) else []


def _ids(entries: Iterable[Document]) -> set[str]:
    return {str(entry["id"]) for entry in entries}
