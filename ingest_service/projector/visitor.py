"""One browser's history: epochs cut by logins and logouts, each with its contribution. Pure.

A browser's events are folded in their order on the log; an event seen before has no second effect.
A login cuts too, so that the anonymous epoch which joins it stays apart: undoing a merge needs it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ingest_service.projector.contribution import contribute, union
from ingest_service.projector.people import PersonIds
from ingest_service.projector.sets import Document, has_seen, keep, remember, stamped
from shared.models.event import ONESIGNAL, Event

CUTTING = frozenset({"identify", "logout"})
SEEN_EVENTS = 512  # more than a batch that may be delivered again
SEEN_CUTS = 128  # a repeated cut would do more harm, so those are remembered for longer
MAX_EPOCHS = 32  # a shared kiosk's browser: older ones are joined where they have one person
MAX_PLAYERS = 20


def visitor_key(app: str, visitor: str) -> str:
    return f"{app}:{visitor}"


def new_visitor(app: str, visitor: str) -> Document:
    return {
        "_id": visitor_key(app, visitor), "app": app, "visitor": visitor, "rev": 0, "epochs": [],
        "players": [], "people": [], "seen": b"", "cuts": b"",
    }  # fmt: skip


def current(visitor: Document) -> Document:
    epoch: Document = visitor["epochs"][-1]
    return epoch


@dataclass
class Visitor:
    """A visitors document, and what of it the batch touches."""

    state: Document
    people: PersonIds
    touched: set[str] = field(default_factory=set)
    changed: bool = False
    merged: bool = False
    repeated: bool = False  # an event was seen before: maybe the batch, cut off between two writes

    @property
    def owner(self) -> str:
        """The person that the browser belongs to now."""
        return self.person_of(current(self.state))

    def person_of(self, epoch: Document) -> str:
        if epoch["login"] is None:
            return str(epoch["born"])
        return self.people.of_login(self.state["app"], epoch["login"])

    def everybody(self) -> set[str]:
        """Also those that were merged away: their profiles may still have to be removed."""
        epochs = self.state["epochs"]
        return {self.person_of(e) for e in epochs} | {e["born"] for e in epochs if e["born"]}

    def apply(self, event: Event) -> None:
        if self._is_repeated(event):
            self.repeated = True
            self.touched |= self.everybody()
            return
        self.changed = True
        if event.type == "logout":
            self._log_out(event)
        elif event.type == "identify" and event.data.get("login"):
            self._log_in(event, str(event.data["login"]))
        if not self.state["epochs"]:
            self._open(start="0", login=None)
        contribute(current(self.state)["part"], event)
        if event.type == ONESIGNAL:
            self._hold(event)
        self._remember(event)
        self.touched.add(self.owner)

    def merges(self) -> list[Document]:
        """Which anonymous persons became which person here, where that may not be recorded yet."""
        if not (self.merged or self.repeated):
            return []
        return [
            {
                "_id": epoch["born"],
                "app": self.state["app"],
                "person": self.person_of(epoch),
                "merged": epoch["born"],
                "visitor": self.state["visitor"],
                **epoch["joined"],
            }
            for epoch in self.state["epochs"]
            if epoch["joined"] is not None
        ]

    def _is_repeated(self, event: Event) -> bool:
        return has_seen(self.state["seen"], event.id) or (
            event.type in CUTTING and has_seen(self.state["cuts"], event.id)
        )

    def _remember(self, event: Event) -> None:
        self.state["seen"] = remember(self.state["seen"], event.id, SEEN_EVENTS)
        if event.type in CUTTING:
            self.state["cuts"] = remember(self.state["cuts"], event.id, SEEN_CUTS)
        self.state["people"] = sorted({self.person_of(e) for e in self.state["epochs"]})

    def _log_out(self, event: Event) -> None:
        """Nobody logged in: nothing to cut."""
        if self.state["epochs"] and current(self.state)["login"] is not None:
            self.touched.add(self.owner)
            self._open(start=event.id, login=None)

    def _log_in(self, event: Event, login: str) -> None:
        if self.state["epochs"]:
            epoch = current(self.state)
            if epoch["login"] == login:
                return
            self.touched.add(self.owner)
            if epoch["login"] is None:  # who browsed here is now known
                epoch["login"] = login
                epoch["joined"] = stamped(event)
                self.merged = True
        self._open(start=event.id, login=login)

    def _open(self, *, start: str, login: str | None) -> None:
        app, visitor = self.state["app"], self.state["visitor"]
        born = self.people.of_visitor(app, visitor, start) if login is None else None
        epoch: Document = {"start": start, "login": login, "born": born, "joined": None, "part": {}}
        self.state["epochs"].append(epoch)
        self._compact()

    def _compact(self) -> None:
        epochs = self.state["epochs"]
        while len(epochs) > MAX_EPOCHS:
            self.touched |= self.everybody()
            oldest = epochs.pop(0)
            heir = next((e for e in epochs if _one_person(e, oldest)), None)
            if heir is not None:
                heir["part"] = union([oldest["part"], heir["part"]])

    def _hold(self, event: Event) -> None:
        """The browser's player id, and what it said of it."""
        entry: dict[str, Any] = stamped(
            event,
            id=event.data["playerID"],
            status=event.data["status"],
            state=event.data["state"],
            reason=event.data.get("reason"),
            permission=event.data.get("permission"),
            sdk=(event.context or {}).get("sdk"),
            browser=(event.context or {}).get("browser"),
        )
        self.state["players"] = keep([*self.state["players"], entry], by="id", limit=MAX_PLAYERS)


def _one_person(epoch: Document, other: Document) -> bool:
    return epoch["login"] is not None and epoch["login"] == other["login"]
