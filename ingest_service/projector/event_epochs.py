"""Epochs that a browser's events were folded into, found by the order of their ids in its ring. Pure.

A repeated event changes nothing, so nothing else remembers its epoch. The browser may have somebody
else's since then.
"""

from __future__ import annotations

from ingest_service.projector.lww import place_in
from ingest_service.projector.operator_events import predates_erasure
from ingest_service.projector.visitor import Epoch, Visitor
from shared.models.event import Event


class EventEpochs:
    """Epochs of a browser, with the places in its ring where they begin."""

    def __init__(self, visitor: Visitor) -> None:
        # An epoch whose beginning the ring has forgotten is older than all that it remembers.
        self._visitor = visitor
        self._starts = [(place_in(visitor.seen_events, e.opened_by), e) for e in visitor.epochs]
        self._starts.reverse()

    def find(self, event: Event) -> Epoch | None:
        """Return the event's epoch, None if it has none any more or the ring has forgotten the event.

        An event from before an erasure has none: its epoch may be the erased one.
        """
        place = place_in(self._visitor.seen_events, event.id)
        if place < 0 or predates_erasure(self._visitor, event):
            return None
        for start, epoch in self._starts:
            if start <= place:
                return epoch
        return None
