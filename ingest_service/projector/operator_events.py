"""Operators' events in a browser's history: the erasure of a person, an undone merge. Pure.

The document of an erased browser stays, under its keyed hash, as a tombstone. It drops events from before
the erasure that arrive later; a replay writes it again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import datetime

from ingest_service.projector.player import PlayerStatus
from ingest_service.projector.visitor import (
    STAND_IN,
    Epoch,
    ErasedPlayer,
    Erasure,
    Unmerge,
    Visitor,
)
from shared.documents.merge import EventMark
from shared.events.payloads import ErasePayload, ImportPayload, UndoMergePayload
from shared.events.registry import IMPORT, payload_of
from shared.models.event import Event

REMEMBERED = 64  # persons and players whose erasure a tombstone can complete after a crash

PersonOf = Callable[[Epoch], str]


def predates_erasure(visitor: Visitor, event: Event) -> bool:
    if visitor.erased is None:
        return False
    return event.occurred_at <= visitor.erased.at or is_undated(event)


def is_undated(event: Event) -> bool:
    """Return whether nobody knows when the event occurred: it is an import's row without a time."""
    return event.type == IMPORT and payload_of(event, ImportPayload).undated


def erase(visitor: Visitor, event: Event, person_of: PersonOf) -> None:
    """Erase the person's epochs, and the players of a browser that is the person's now.

    A stand-in's anonymous epochs are the person's too, since its player was. A late erasure spares the
    person's epochs from after it.
    """
    payload = payload_of(event, ErasePayload)
    persons, is_spared = {payload.person}, _sparing(event, is_late=payload.late)
    is_stand_in = str(event.visitor_id).startswith(STAND_IN)

    def is_kept(epoch: Epoch) -> bool:
        if person_of(epoch) in persons or epoch.anonymous_id in persons:
            return is_spared(epoch.contribution.get("firstSeenAt", event.occurred_at))
        return not (is_stand_in and epoch.login is None)

    epochs, kept = visitor.epochs, [epoch for epoch in visitor.epochs if is_kept(epoch)]
    dropped = [epoch for epoch in epochs if not is_kept(epoch)]
    erased = persons | {epoch.anonymous_id for epoch in dropped if epoch.anonymous_id}
    erased |= {person_of(epoch) for epoch in dropped}
    players: list[PlayerStatus] = []
    if not kept or epochs[-1] is not kept[-1]:
        players, visitor.players, visitor.status_history = visitor.players, [], {}
        visitor.next_epoch_from = event.id
    _forget(visitor, kept, erased, is_spared)
    visitor.epochs = kept
    visitor.erased = _noted(visitor.erased, event, players, erased)
    if not kept:
        visitor.visitor_id = None


def _sparing(event: Event, *, is_late: bool) -> Callable[[datetime], bool]:
    """Return the check whether an erasure spares data from a time."""
    return lambda at: is_late and at > event.occurred_at


def _forget(
    visitor: Visitor,
    kept: Iterable[Epoch],
    persons: Collection[str],
    is_spared: Callable[[datetime], bool],
) -> None:
    """Remove erased persons from the players' histories and from undone merges."""
    visitor.status_history = {
        player: [c for c in changes if c.person not in persons or is_spared(c.at)]
        for player, changes in visitor.status_history.items()
    }
    for epoch in kept:
        epoch.unmerged = [u for u in epoch.unmerged if u.person not in persons or is_spared(u.at)]


def _noted(
    known: Erasure | None, event: Event, players: Iterable[PlayerStatus], persons: Iterable[str]
) -> Erasure:
    """Return the browser's erasures with one more; the last one is decided by time."""
    known = known or Erasure(event.occurred_at, event.id)
    at, last = max((known.at, known.event), (event.occurred_at, event.id))
    erased = [*known.players, *(ErasedPlayer(player.id, player.mark) for player in players)]
    all_persons = sorted({*known.persons, *persons})
    return Erasure(at, last, erased[-REMEMBERED:], all_persons[:REMEMBERED])


def undo_merge(visitor: Visitor, event: Event, person_of: PersonOf) -> set[str]:
    """Separate the pair permanently; return the affected persons.

    `merge` is the merged person's id, or both ids of the pair. An epoch that isn't merged yet will not
    be merged either.
    """
    pair = payload_of(event, UndoMergePayload).pair
    affected: set[str] = set()
    for epoch in visitor.epochs:
        if epoch.anonymous_id is None or epoch.anonymous_id not in pair:
            continue
        person = person_of(epoch)
        merged = epoch.identified_at
        if merged is not None and (len(pair) == 1 or person in pair):
            undone: EventMark = {"at": event.occurred_at, "event": event.id}
            epoch.unmerged.append(Unmerge(person, merged["at"], merged["event"], undone))
            epoch.login, epoch.identified_at, epoch.proven = None, None, False
            affected |= {person, epoch.anonymous_id}
        others = {*pair, person} - {epoch.anonymous_id}
        epoch.never_merge_with = sorted({*epoch.never_merge_with, *others})
    return affected
