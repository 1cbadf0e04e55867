"""One browser's history: its document, its persons, and the effects of a batch's events on both. Pure.

A browser's events are folded in their order on the log; an event seen before has no second effect.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ingest_service.projector.compaction import compact
from ingest_service.projector.contribution import contribute
from ingest_service.projector.lww import has_seen, remember
from ingest_service.projector.operator_events import erase, predates_erasure, undo_merge
from ingest_service.projector.person_ids import PersonIds
from ingest_service.projector.player import NOBODY
from ingest_service.projector.players import add_player
from ingest_service.projector.proof import is_proof, prove
from ingest_service.projector.status_history import add_status_change, move_history, status_change
from ingest_service.projector.visitor import Epoch, ErasedPlayer, Visitor
from shared.documents.merge import Merge
from shared.events.payloads import ErasePayload, IdentifyPayload, ImportPayload
from shared.events.registry import (
    ERASE,
    IDENTIFY,
    IMPORT,
    LOGOUT,
    ONESIGNAL,
    UNDO_MERGE,
    payload_of,
)
from shared.models.event import Event

BOUNDARIES = frozenset({IDENTIFY, LOGOUT, ERASE, UNDO_MERGE})
SEEN_EVENTS = 512  # more than a batch that may be delivered again
SEEN_BOUNDARIES = 128  # a repeated boundary would do more harm, so those are remembered for longer


@dataclass(slots=True)
class Browser:
    """A browser, and the effects of the batch on it."""

    visitor: Visitor
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
        epoch = self.visitor.current_epoch
        return self.person_of(epoch) if epoch is not None else NOBODY

    def person_of(self, epoch: Epoch) -> str:
        if epoch.login is None:
            return str(epoch.anonymous_id)
        return self.people.of_login(self.visitor.app, epoch.login)

    def epochs_of(self, person: str) -> list[Epoch]:
        return [epoch for epoch in self.visitor.epochs if self.person_of(epoch) == person]

    @property
    def is_proven(self) -> bool:
        """Return whether the browser is logged in with a proven login."""
        epoch = self.visitor.current_epoch
        return epoch is not None and epoch.login is not None and epoch.proven

    def has_proven(self, person: str) -> bool:
        """Return whether the person ever proved a login here; once true, it stays true."""
        return any(e.has_proof and self.person_of(e) == person for e in self.visitor.epochs)

    def all_persons(self) -> set[str]:
        """Return all persons of the browser, with merged and unmerged ones."""
        # Their profiles may still have to change.
        epochs = self.visitor.epochs
        unmerged = {unmerge.person for epoch in epochs for unmerge in epoch.unmerged}
        anonymous = {epoch.anonymous_id for epoch in epochs if epoch.anonymous_id}
        return {self.person_of(epoch) for epoch in epochs} | anonymous | unmerged

    def erased_persons(self) -> set[str]:
        """Return the persons to be erased wherever else they are named."""
        if not self.erasures or self.visitor.erased is None:
            return set()
        return self.named_persons() | set(self.visitor.erased.persons)

    def erased_players(self) -> Sequence[ErasedPlayer]:
        """Return the players that were erased with their persons, if the batch erases any."""
        erased = self.visitor.erased if self.erasures else None
        return erased.players if erased is not None else ()

    def named_persons(self) -> set[str]:
        """Return the persons that this batch's erasures name."""
        return {payload_of(event, ErasePayload).person for event in self.erasures}

    def named_players(self) -> set[str]:
        """Return the players that this batch's erasures name; late ones name them to the sender only."""
        payloads = (payload_of(event, ErasePayload) for event in self.erasures)
        return {player for payload in payloads if not payload.late for player in payload.players}

    def erased_merges(self) -> list[tuple[str, datetime]]:
        """Return the persons whose records of merges are erased, each with the time of the erasure."""
        # Later records, of persons that came back elsewhere, stay. `erased_persons` names the merges of
        # the erased epochs.
        return [(payload_of(e, ErasePayload).person, e.occurred_at) for e in self.erasures]

    def merges(self) -> Iterator[Merge]:
        """Yield the records of merges in this browser that may not be stored yet."""
        if not (self.merged or self.repeated):
            return
        for epoch in self.visitor.epochs:
            merged, person = epoch.identified_at, epoch.anonymous_id
            if person is None:
                continue
            if merged is not None:
                yield self._merge(person, self.person_of(epoch), merged["at"], merged["event"])
            elif epoch.unmerged:
                last = epoch.unmerged[-1]
                merge = self._merge(person, last.person, last.at, last.event)
                merge["undone"] = last.undone
                yield merge

    def _merge(self, merged: str, person: str, at: datetime, event: str) -> Merge:
        return {
            "_id": merged,
            "merged": merged,
            "app": self.visitor.app,
            "visitor": str(self.visitor.visitor_id),
            "person": person,
            "at": at,
            "event": event,
        }

    def apply(self, event: Event) -> None:
        self.operated |= event.type in (ERASE, UNDO_MERGE)
        if event.type == ERASE:
            self.erasures.append(event)  # its consequences are derived at each delivery
        if self._is_repeated(event):
            self.repeated = True
            self.affected |= self.all_persons()
        elif event.type == ERASE:
            self.affected |= self.all_persons()
            erase(self.visitor, event, self.person_of)
            self._remember(event)
        elif event.type == UNDO_MERGE:
            self.affected |= undo_merge(self.visitor, event, self.person_of)
            self.merged = True
            self._remember(event)
        elif not predates_erasure(self.visitor, event):
            self._fold(event)
        self.affected |= self.erased_persons()

    def _fold(self, event: Event) -> None:
        before = self.owner
        self.visitor.visitor_id = event.visitor_id
        if event.type == LOGOUT:
            self._log_out(event)
        elif event.type == IDENTIFY:
            self._identify(event, payload_of(event, IdentifyPayload))
        elif event.type == IMPORT and not self.visitor.epochs:
            self._open(event, login=payload_of(event, ImportPayload).login)
        epoch = self.visitor.current_epoch or self._open(event, login=event.login)
        contribute(epoch.contribution, event)
        if self.owner != before:
            self.affected.add(before)
            move_history(self.visitor.status_history, event, self.owner)
        if event.type in (ONESIGNAL, IMPORT):
            self._add_player(event)
        self._remember(event)
        self.affected.add(self.owner)
        self.affected.discard(NOBODY)

    def _is_repeated(self, event: Event) -> bool:
        return has_seen(self.visitor.seen_events, event.id) or (
            event.type in BOUNDARIES and has_seen(self.visitor.seen_boundaries, event.id)
        )

    def _remember(self, event: Event) -> None:
        visitor, self.changed = self.visitor, True
        visitor.seen_events = remember(visitor.seen_events, event.id, SEEN_EVENTS)
        if event.type in BOUNDARIES:
            visitor.seen_boundaries = remember(visitor.seen_boundaries, event.id, SEEN_BOUNDARIES)
        visitor.persons = sorted({self.person_of(epoch) for epoch in visitor.epochs})

    def _identify(self, event: Event, payload: IdentifyPayload) -> None:
        login, claimed = payload.get("login"), payload.get("claimed")
        if login:
            self._log_in(event, login)
        elif claimed:
            self._log_out_unless(event, claimed)

    def _log_out(self, event: Event) -> None:
        """Open a new epoch, unless the browser is anonymous already."""
        epoch = self.visitor.current_epoch
        if epoch is not None and epoch.login is not None:
            self._open(event, login=None)

    def _log_out_unless(self, event: Event, claimed: str) -> None:
        """End the present login, unless it is that of the unproven claim."""
        if self.owner != claimed:
            self._log_out(event)

    def _log_in(self, event: Event, login: str) -> None:
        epoch = self.visitor.current_epoch
        if epoch is None or epoch.login != login:
            self._merge_into_login(epoch, event, login)
            epoch = self._open(event, login=login)
        if is_proof(event):
            epoch.proven = True
            prove(event, self.visitor.players)

    def _merge_into_login(self, epoch: Epoch | None, event: Event, login: str) -> None:
        """Merge the anonymous epoch into the login's person."""
        if epoch is None or epoch.login is not None:
            return
        if self.people.of_login(self.visitor.app, login) not in epoch.never_merge_with:
            epoch.login = login
            epoch.identified_at = {"at": event.occurred_at, "event": event.id}
            epoch.proven = is_proof(event)
            self.merged = True

    def _open(self, event: Event, *, login: str | None) -> Epoch:
        """Open an epoch, named by the event that cut; a browser's first without a login is "0"."""
        visitor, app = self.visitor, self.visitor.app
        start = visitor.next_epoch_from or (event.id if visitor.epochs or login else "0")
        visitor.next_epoch_from = None
        person = (
            self.people.of_visitor(app, str(event.visitor_id), start) if login is None else None
        )
        proven = event.login is not None  # a server named it instead of a browser
        epoch = Epoch(start, login, person, None, {}, proven)
        visitor.epochs.append(epoch)
        before = self.all_persons()
        if compact(visitor.epochs):
            self.affected |= before
        return epoch

    def _add_player(self, event: Event) -> None:
        """Add the event's player, and the change of its status."""
        visitor = self.visitor
        proven = self.is_proven or event.source == "server"
        visitor.players, status = add_player(visitor.players, event, proven=proven)
        change = status_change(event, status.state, status.reason, self.owner)
        add_status_change(visitor.status_history, status.id, change)
        names = {one.id for one in visitor.players}
        visitor.status_history = {p: h for p, h in visitor.status_history.items() if p in names}
