"""The player ledger: whose a player id is, and whether it can be reached. Pure.

A player belongs to the browser that spoke of it last, and with it to that browser's person. Its
state is the last word on it, by time: the browser's, or a report of OneSignal's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from ingest_service.projector.entry import (
    NOBODY,
    ended,
    join_history,
    report,
    scrub,
    settled,
    stub,
)
from ingest_service.projector.reports import Report
from ingest_service.projector.sets import Document, stamp
from ingest_service.projector.visitor import Visitor

PREVIOUS_OWNERS = 5


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

    def claim(self, visitor: Visitor) -> None:
        """The browser's players go with it to whoever it belongs to now."""
        for entry in visitor.state["players"]:
            known = self._players.get(entry["id"])
            self._put(known, claim(known, entry, visitor, self._now))
            if visitor.repeated:
                self._suspect(self._players[entry["id"]])

    def erase(self, visitor: Visitor) -> None:
        """What its erasures ended; a later word on a player, of whomever, begins it anew."""
        gone = visitor.gone()
        erased = visitor.state["erased"]
        app, since = visitor.state["app"], erased["at"]
        for entry in erased["players"]:
            known = self._players.get(entry["id"])
            if known is None or known["app"] == app:
                self._put(
                    known, ended(known or stub(app, entry["id"], since), entry, since, self._now)
                )
        for player in {p for event in visitor.erasures for p in named_players(event.data)}:
            known = self._players.get(player)
            if known is not None and known["app"] == app and known["person"] in gone:
                self._put(known, ended(known, known["status"], since, self._now))
        for player in {*_ids(erased["players"]), *_ids(visitor.state["players"])}:
            known = self._players.get(player)
            if known is not None and known["app"] == app:
                self._put(known, scrub(known, gone, since, self._now))

    def report(self, told: Report) -> None:
        """OneSignal's word. It may come before the browser's own: then it waits for that."""
        known = self._players.get(told.player)
        if known is None:
            if not told.is_news:
                return
            known = stub(told.app, told.player, told.at)
        elif known["app"] != told.app:
            return
        self._put(known, report(known, told, self._now))
        if told.player in self._players:
            self._suspect(self._players[told.player])

    def see(self, app: str, player: str, at: datetime) -> None:
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


def claim(
    known: Document | None, entry: Document, visitor: Visitor, now: datetime
) -> Document | None:
    """The ledger's document after a browser's word on one of its players; None: nothing changes."""
    state = visitor.state
    words = state.get("words", {}).get(entry["id"], [])
    if known is None or (known["app"] != state["app"] and known["person"] == NOBODY):
        known = stub(state["app"], entry["id"], entry["at"], rev=known["rev"] if known else 0)
    elif known["app"] != state["app"]:
        return None  # another app's page names a player that isn't its own
    history = join_history(known, words)
    if known["visitor"] != state["visitor"] and stamp(entry) <= stamp(known["status"]):
        return settled(known, {**known, "history": history}, now)
    changed = {**known, "visitor": state["visitor"], "history": history}
    if stamp(entry) > stamp(known["status"]):
        changed["status"] = entry
    if known["person"] != visitor.owner:
        changed["person"] = visitor.owner
        if known["person"] != NOBODY:
            former = {"person": known["person"], "until": now}
            changed["previous"] = [*known["previous"], former][-PREVIOUS_OWNERS:]
    return settled(known, changed, now)


def named_players(data: Document) -> Collection[str]:
    told = data.get("players")
    return [p for p in told if isinstance(p, str)] if isinstance(told, list) else []


def _ids(entries: Iterable[Document]) -> set[str]:
    return {str(entry["id"]) for entry in entries}
