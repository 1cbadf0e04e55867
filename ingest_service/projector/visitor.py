"""One browser's history: epochs cut by logins and logouts, each with its contribution. Pure.

A browser's events are folded in their order on the log; an event seen before has no second effect.
A login cuts too, so that the anonymous epoch before it stays separate: undoing a merge needs it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

import orjson

from ingest_service.projector.contribution import contribute, union
from ingest_service.projector.lww import Document, has_seen, remember
from ingest_service.projector.operator_events import (
    erase,
    persons_of_erasure,
    predates_erasure,
    undo_merge,
)
from ingest_service.projector.person_ids import PersonIds
from ingest_service.projector.player import NOBODY
from ingest_service.projector.players import add_player
from ingest_service.projector.proof import is_proof, is_proven, prove, was_proven
from ingest_service.projector.status_history import add_status_change, move_history, status_change
from shared.documents.merge import Merge
from shared.models.event import ERASE, IMPORT, ONESIGNAL, UNDO_MERGE, Event

BOUNDARIES = frozenset({"identify", "logout", ERASE, UNDO_MERGE})
SEEN_EVENTS = 512  # more than a batch that may be delivered again
SEEN_BOUNDARIES = 128  # a repeated boundary would do more harm, so those are remembered for longer
MAX_EPOCHS = 32  # a shared kiosk's browser: older ones are joined where they have one person
MAX_ENDED_EPOCHS_BYTES = 512 * 1024  # of ended epochs, as JSON: a hundred browsers are read at once
STAND_IN = "os:"  # prefix of visitor ids of imported players that no browser has reported


def new_visitor(name: str, app: str, visitor: str) -> Document:
    return {
        "_id": name, "app": app, "visitor": visitor, "rev": 0, "epochs": [],
        "players": [], "statusHistory": {}, "persons": [], "seenEvents": b"", "seenBoundaries": b"",
    }  # fmt: skip


@dataclass
class Visitor:
    """A visitors document, and the effects of the batch on it."""

    state: Document
    people: PersonIds
    affected: set[str] = field(default_factory=set)
    erasures: list[Event] = field(default_factory=list)
    changed: bool = False
    merged: bool = False
    operated: bool = False  # by an operator's event: what the person had may be less now
    repeated: bool = False  # an event was seen before: maybe the batch, cut off between two writes

    @property
    def owner(self) -> str:
        """The browser's present person; NOBODY between an erasure and a new event."""
        epoch = self._current()
        return self.person_of(epoch) if epoch is not None else NOBODY

    def person_of(self, epoch: Document) -> str:
        if epoch["login"] is None:
            return str(epoch["anonymousId"])
        return self.people.of_login(self.state["app"], epoch["login"])

    @property
    def is_proven(self) -> bool:
        """Return whether the browser is logged in with a proven login."""
        epoch = self._current()
        return epoch is not None and epoch["login"] is not None and is_proven(epoch)

    def has_proven(self, person: str) -> bool:
        """Return whether the person ever proved a login here; once true, it stays true."""
        epochs = self.state["epochs"]
        return any(was_proven(e) and self.person_of(e) == person for e in epochs)

    def all_persons(self) -> set[str]:
        """Return all persons of the browser, with merged and unmerged ones."""
        # Their profiles may still have to change.
        epochs = self.state["epochs"]
        unmerged = {p["person"] for e in epochs for p in e.get("unmerged", ())}
        born = {e["anonymousId"] for e in epochs if e["anonymousId"]}
        return {self.person_of(e) for e in epochs} | born | unmerged

    def erased_persons(self) -> set[str]:
        """Return the persons to be erased wherever else they are named."""
        if not self.erasures:
            return set()
        return self.named_persons() | set(self.state["erased"]["persons"])

    def named_persons(self) -> set[str]:
        """Return the persons that this batch's erasures name."""
        return {person for event in self.erasures for person in persons_of_erasure(event)}

    def erased_merges(self) -> list[tuple[str, datetime]]:
        """Return the persons whose records of merges are erased, each with the time of the erasure."""
        # Later records, of persons that came back elsewhere, stay. `erased_persons` names the merges of
        # the erased epochs.
        return [
            (p, event.occurred_at) for event in self.erasures for p in persons_of_erasure(event)
        ]

    def apply(self, event: Event) -> None:
        self.operated |= event.type in (ERASE, UNDO_MERGE)
        if event.type == ERASE:
            self.erasures.append(event)  # its consequences are derived at each delivery
        if self._is_repeated(event):
            self.repeated = True
            self.affected |= self.all_persons()
        elif event.type == ERASE:
            self.affected |= self.all_persons()
            erase(self.state, event, self.person_of)
            self._remember(event)
        elif event.type == UNDO_MERGE:
            self.affected |= undo_merge(self.state, event, self.person_of)
            self.merged = True
            self._remember(event)
        elif not predates_erasure(self.state, event):
            self._fold(event)
        self.affected |= self.erased_persons()

    def merges(self) -> list[Merge]:
        """Return the records of merges in this browser that may not be stored yet."""
        found: list[Merge] = []
        for epoch in self.state["epochs"] if self.merged or self.repeated else ():
            if epoch["identifiedAt"] is not None:
                identified = {"person": self.person_of(epoch), **epoch["identifiedAt"]}
                found.append(self._merge(epoch["anonymousId"], identified))
            elif epoch.get("unmerged"):
                found.append(self._merge(epoch["anonymousId"], epoch["unmerged"][-1]))
        return found

    def _merge(self, merged: str, how: Document) -> Merge:
        whose = {"app": self.state["app"], "visitor": self.state["visitor"]}
        return cast(Merge, {"_id": merged, "merged": merged, **whose, **how})

    def _current(self) -> Document | None:
        epochs = self.state["epochs"]
        return epochs[-1] if epochs and not self.state.get("nextEpochFrom") else None

    def _fold(self, event: Event) -> None:
        before = self.owner
        self.state["visitor"] = event.visitor_id
        if event.type == "logout":
            self._log_out(event)
        elif event.type == "identify" and event.data.get("login"):
            self._log_in(event, str(event.data["login"]))
        elif event.type == "identify" and event.data.get("claimed"):
            self._log_out_unless(event, str(event.data["claimed"]))
        elif event.type == IMPORT and event.data.get("login") and not self.state["epochs"]:
            self._open(event, login=str(event.data["login"]))
        epoch = self._current() or self._open(event, login=None)
        contribute(epoch["contribution"], event)
        if self.owner != before:
            self.affected.add(before)
            move_history(self.state.setdefault("statusHistory", {}), event, self.owner)
        if event.type in (ONESIGNAL, IMPORT):
            self._add_player(event)
        self._remember(event)
        self.affected.add(self.owner)
        self.affected.discard(NOBODY)

    def _is_repeated(self, event: Event) -> bool:
        return has_seen(self.state["seenEvents"], event.id) or (
            event.type in BOUNDARIES and has_seen(self.state["seenBoundaries"], event.id)
        )

    def _remember(self, event: Event) -> None:
        self.changed = True
        self.state["seenEvents"] = remember(self.state["seenEvents"], event.id, SEEN_EVENTS)
        if event.type in BOUNDARIES:
            boundaries = remember(self.state["seenBoundaries"], event.id, SEEN_BOUNDARIES)
            self.state["seenBoundaries"] = boundaries
        self.state["persons"] = sorted({self.person_of(e) for e in self.state["epochs"]})

    def _log_out(self, event: Event) -> None:
        """Open a new epoch, unless the browser is anonymous already."""
        epoch = self._current()
        if epoch is not None and epoch["login"] is not None:
            self._open(event, login=None)

    def _log_out_unless(self, event: Event, claimed: str) -> None:
        """End the present login, unless it is that of the unproven claim."""
        if self.owner != claimed:
            self._log_out(event)

    def _log_in(self, event: Event, login: str) -> None:
        epoch, proven = self._current(), is_proof(event)
        if epoch is None or epoch["login"] != login:
            self._merge_into_login(epoch, event, login)
            epoch = self._open(event, login=login)
        if proven:
            epoch["proven"] = True
            prove(event, self.state["players"])

    def _merge_into_login(self, epoch: Document | None, event: Event, login: str) -> None:
        """Merge the anonymous epoch into the login's person."""
        if epoch is None or epoch["login"] is not None:
            return
        if self.people.of_login(self.state["app"], login) not in epoch.get("neverMergeWith", ()):
            epoch["login"] = login
            epoch["identifiedAt"] = {"at": event.occurred_at, "event": event.id}
            epoch["proven"] = is_proof(event)
            self.merged = True

    def _open(self, event: Event, *, login: str | None) -> Document:
        """Open an epoch, named by the event that cut; a browser's first without a login is "0"."""
        reopened = self.state.pop("nextEpochFrom", None)
        start = reopened or (event.id if self.state["epochs"] or login else "0")
        app = self.state["app"]
        born = self.people.of_visitor(app, str(event.visitor_id), start) if login is None else None
        epoch: Document = {
            "openedBy": start, "login": login, "anonymousId": born, "identifiedAt": None, "contribution": {}
        }  # fmt: skip
        self.state["epochs"].append(epoch)
        self._compact()
        return epoch

    def _compact(self) -> None:
        epochs = self.state["epochs"]
        while len(epochs) > MAX_EPOCHS or _bytes(epochs[:-1]) > MAX_ENDED_EPOCHS_BYTES:
            self.affected |= self.all_persons()
            oldest = epochs.pop(0)
            heir = next((e for e in epochs if _one_person(e, oldest)), None)
            if heir is not None:
                heir["contribution"] = union([oldest["contribution"], heir["contribution"]])
                if was_proven(oldest):
                    heir["wasProven"] = True

    def _add_player(self, event: Event) -> None:
        """Add the event's player, and the change of its status."""
        proven = self.is_proven or event.source == "server"
        self.state["players"], entry = add_player(self.state["players"], event, proven=proven)
        histories = self.state.setdefault("statusHistory", {})
        change = status_change(event, entry["state"], entry["reason"], self.owner)
        add_status_change(histories, entry["id"], change)
        names = {entry["id"] for entry in self.state["players"]}
        self.state["statusHistory"] = {p: h for p, h in histories.items() if p in names}


def _bytes(epochs: list[Document]) -> int:
    return len(orjson.dumps([epoch["contribution"] for epoch in epochs])) if epochs else 0


def _one_person(epoch: Document, other: Document) -> bool:
    return epoch["login"] is not None and epoch["login"] == other["login"]
