"""The player ledger: whose a player id is, and whether it can be reached. Pure.

A player belongs to the browser that spoke of it last, and with it to that browser's person.
"""

from __future__ import annotations

from datetime import datetime

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

    def claim(self, visitor: Visitor) -> None:
        """The browser's players go with it to whoever it belongs to now."""
        for entry in visitor.state["players"]:
            known = self._players.get(entry["id"])
            self._put(known, claim(known, entry, visitor.state, visitor.owner, self._now))
            if visitor.repeated:
                self._suspect(self._players[entry["id"]])

    def invalidate(self, app: str, player: str, at: datetime, reason: str) -> None:
        known = self._players.get(player)
        if known is not None and known["app"] == app:
            self._put(known, invalidate(known, at, reason, self._now))
            self._suspect(known)

    def see(self, app: str, player: str, at: datetime) -> None:
        """A sign of life; not worth a profile's write."""
        known = self._players.get(player)
        if known is not None and known["app"] == app and at > known["lastSeenAt"]:
            self._players[player] = {**known, "lastSeenAt": at}
            self._changed.add(player)

    def _put(self, known: Document | None, changed: Document | None) -> None:
        if changed is None:
            return
        self._players[changed["_id"]] = changed
        self._changed.add(changed["_id"])
        for player in (known, changed):
            if player is not None:
                self.touched.add((player["app"], player["person"]))

    def _suspect(self, player: Document) -> None:
        """Perhaps written already, by a batch that was cut off before it wrote the profiles."""
        people = [player["person"], *(former["person"] for former in player["previous"])]
        self.touched |= {(player["app"], person) for person in people}


def claim(
    known: Document | None, entry: Document, visitor: Document, owner: str, now: datetime
) -> Document | None:
    """The ledger's document after a browser's word on one of its players; None: nothing changes."""
    if known is None:
        known = {
            "_id": entry["id"], "app": visitor["app"], "rev": 0, "person": owner, "previous": [],
            "visitor": visitor["visitor"], "status": entry, "invalid": None,
        }  # fmt: skip
    elif known["app"] != visitor["app"]:
        return None  # another app's page names a player that isn't its own
    elif known["visitor"] != visitor["visitor"] and stamp(entry) <= stamp(known["status"]):
        return None
    changed = {**known, "visitor": visitor["visitor"]}
    if stamp(entry) > stamp(known["status"]):
        changed["status"] = entry
    if known["person"] != owner:
        changed["person"] = owner
        former = {"person": known["person"], "until": now}
        changed["previous"] = [*known["previous"], former][-PREVIOUS_OWNERS:]
    return _settled(known, changed, now)


def invalidate(known: Document, at: datetime, reason: str, now: datetime) -> Document | None:
    """OneSignal refused the player. A later word of the browser makes it reachable again."""
    invalid = known["invalid"]
    if invalid is not None and invalid["at"] >= at:
        return None
    return _settled(known, {**known, "invalid": {"at": at, "reason": reason}}, now)


def _settled(known: Document, changed: Document, now: datetime) -> Document | None:
    """With the fields that follow from the others; None where none of them is new."""
    status, invalid = changed["status"], changed["invalid"]
    is_invalid = invalid is not None and invalid["at"] >= status["at"]
    state = "invalid" if is_invalid else status["state"]
    changed["reason"] = invalid["reason"] if is_invalid else status["reason"]
    changed["sdk"], changed["browser"] = status["sdk"], status["browser"]
    changed["lastSeenAt"] = max(status["at"], known.get("lastSeenAt", status["at"]))
    if state != known.get("state"):
        changed["state"] = state
        changed["since"] = invalid["at"] if is_invalid else status["at"]
    if state != known.get("state") or changed["person"] != known["person"]:
        changed["changedAt"] = now
    return changed if changed != known else None
