"""Histories of players' states: a browser's own reports, in its order. Pure.

A report of the same state as the one before is dropped, so a history consists of changes. It follows from
the browser's events alone; the ledger joins the changes of all browsers by their stamps.
"""

from __future__ import annotations

from itertools import chain
from operator import attrgetter

from ingest_service.projector.player import StatusChange
from shared.models.event import Event

HISTORY = 10  # changes kept of a player
MOVED = "moved"


def add_status_change(
    histories: dict[str, list[StatusChange]], player: str, change: StatusChange
) -> None:
    """Append a change, unless the last one is of the same state."""
    history = histories.get(player, [])
    if not history or not _is_same_state(history[-1], change):
        histories[player] = [*history, change][-HISTORY:]


def status_change(event: Event, state: str, reason: str | None, person: str) -> StatusChange:
    return StatusChange(
        state, reason, person, event.occurred_at, event.id, event.received_at, event.offset
    )


def move_history(histories: dict[str, list[StatusChange]], event: Event, person: str) -> None:
    """Note the browser's new person in the histories of its players."""
    for player, history in list(histories.items()):
        if not history:  # all its changes were an erased person's
            continue
        change = status_change(event, history[-1].state, MOVED, person)
        add_status_change(histories, player, change)


def join_histories(*histories: list[StatusChange]) -> list[StatusChange]:
    """Join histories, oldest change first, each change once."""
    latest: dict[str, StatusChange] = {}
    for change in chain.from_iterable(histories):
        known = latest.get(change.event)
        if known is None or change.stamp > known.stamp:
            latest[change.event] = change
    return sorted(latest.values(), key=attrgetter("stamp"))[-HISTORY:]


def _is_same_state(last: StatusChange, new: StatusChange) -> bool:
    if (last.state, last.person) != (new.state, new.person):
        return False
    return last.reason in (new.reason, MOVED)
