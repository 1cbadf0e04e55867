"""The player ledger: whose a player id is, and whether it can be reached. Pure.

A player belongs to a browser, and with it to that browser's person: which one, `claims` says. Its
state is the last word on it, by time: that browser's, or a report of OneSignal's.
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
    """The players of a batch: as they were, which of them change, whose profiles that touches."""

    def __init__(self, known: dict[str, Document], now: datetime) -> None:
        self._players = known
        self._now = now
        self._changed: set[str] = set()
        self.touched: set[tuple[str, str]] = set()  # (app, person)

    @property
    def changed(self) -> list[Document]:
        return [self._players[player] for player in sorted(self._changed)]

    @property
    def players(self) -> Mapping[str, Document]:
        """All that the batch has met, by id."""
        return self._players

    def assign_players(self, visitor: Visitor) -> None:
        """The browser's players go with it to whoever it belongs to now."""
        for entry in visitor.state["players"]:
            known = self._players.get(entry["id"])
            self._put(known, assign_players(known, entry, visitor, self._now))
            if visitor.repeated:
                self._suspect(self._players[entry["id"]])

    def erase(self, visitor: Visitor) -> None:
        """What its erasures ended; a later word on a player, of whomever, begins it anew."""
        gone = visitor.erased_persons()
        erased = visitor.state["erased"]
        app, since = visitor.state["app"], erased["at"]
        names = {str(event.visitor_id) for event in visitor.erasures}
        for entry in erased["players"]:
            known = self._players.get(entry["id"])
            if known is None or known["app"] == app:
                before = known or unclaimed(app, entry["id"], since)
                self._put(known, mark_erased(before, entry, names, since, self._now))
        for player in {p for event in visitor.erasures for p in named_players(event.data)}:
            self._end_claims(app, player, gone, since)
        for player in {*_ids(erased["players"]), *_ids(visitor.state["players"])}:
            known = self._players.get(player)
            if known is not None and known["app"] == app:
                self._put(known, scrub(known, gone, since, self._now))

    def _end_claims(self, app: str, player: str, gone: Collection[str], since: datetime) -> None:
        known = self._players.get(player)
        if known is None or known["app"] != app:
            return
        for theirs in [claim for claim in claims_of(known) if claim["person"] in gone]:
            changed = mark_erased(known, theirs["status"], {theirs["visitor"]}, since, self._now)
            self._put(known, changed)
            known = changed or known

    def report(self, told: PlayerReport) -> None:
        """OneSignal's word. It may come before the browser's own: then it waits for that."""
        known = self._players.get(told.player)
        if known is None:
            if not told.is_news:
                return
            known = unclaimed(told.app, told.player, told.at)
        elif known["app"] != told.app:
            return
        self._put(known, report(known, told, self._now))
        if told.player in self._players:
            self._suspect(self._players[told.player])

    def note_activity(self, app: str, player: str, at: datetime) -> None:
        """A sign of life; not worth a profile's write."""
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
                self.touched.add((player["app"], player["person"]))

    def _suspect(self, player: Document) -> None:
        """Perhaps written already, by a batch that was cut off before it wrote the profiles."""
        people = {player["person"], *(former["person"] for former in player["previous"])}
        self.touched |= {(player["app"], person) for person in people - {NOBODY}}


def assign_players(
    known: Document | None, entry: Document, visitor: Visitor, now: datetime
) -> Document | None:
    """The ledger's document after a browser's word on one of its players; None: nothing changes."""
    state = visitor.state
    words = state.get("words", {}).get(entry["id"], [])
    if known is None or (known["app"] != state["app"] and known["person"] == NOBODY):
        known = unclaimed(state["app"], entry["id"], entry["at"], rev=known["rev"] if known else 0)
    elif known["app"] != state["app"]:
        return None  # another app's page names a player that isn't its own
    own = [c for c in claims_of(known) if c["visitor"] == state["visitor"]]
    others = [c for c in claims_of(known) if c["visitor"] != state["visitor"]]
    mine = {
        "visitor": state["visitor"], "person": visitor.owner, "proven": visitor.is_proven,
        "status": _last_word(entry, *(c["status"] for c in own)),
    }  # fmt: skip
    changed = with_claims(known, [*others, mine], now)
    return with_derived_fields(known, {**changed, "history": join_history(known, words)}, now)


def _last_word(entry: Document, *before: Document) -> Document:
    """Return the browser's last word on the player, with its last proof."""
    last = max([entry, *before], key=stamp).copy()
    for one in (entry, *before):
        carry_proof(one, last)
    return last


def named_players(data: Document) -> Collection[str]:
    told = data.get("players")
    return [p for p in told if isinstance(p, str)] if isinstance(told, list) else []


def _ids(entries: Iterable[Document]) -> set[str]:
    return {str(entry["id"]) for entry in entries}
