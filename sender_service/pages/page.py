"""A page: at most 2,000 members of a send, their chunks and outcomes. Pure; no I/O.

Members change only by a split of their chunk, and by an erasure.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from sender_service.models.send import NEVER
from sender_service.models.sums import encode_sums
from sender_service.pages.chunk import Chunk
from sender_service.pages.document import PageDocument
from sender_service.pages.sums import summarise
from sender_service.pages.view import PageView
from shared.reasons import (
    DeliveryOutcome,
    FailedReason,
    FinalReason,
    NotApplicable,
    SuppressedReason,
)

NO_TIMEOUT = timedelta(0)  # of pages without a released chunk


class Page(PageView):
    """Page whose changes are collected as the `$set` of one conditional update.

    A chunk changes by a method here only, so that the change is written.
    """

    __slots__ = ("_changed",)

    def __init__(self, document: PageDocument) -> None:
        super().__init__(document)
        self._changed: dict[str, Any] = {}

    def suppress(self, index: int, reason: SuppressedReason) -> None:
        """Set a member's own outcome."""
        self.end_member(index, "suppressed", reason)

    def suppress_not_applicable(self, index: int, detail: NotApplicable) -> None:
        """Set a member's own outcome, with its detail."""
        self.document["outcomes"][str(index)] = ["suppressed", "not_applicable", detail]
        self._mark("outcomes")

    def fail(self, index: int, reason: FailedReason) -> None:
        """Set a member's own outcome."""
        self.end_member(index, "failed", reason)

    def end_member(self, index: int, outcome: DeliveryOutcome, reason: FinalReason | None) -> None:
        """Set a member's own outcome, as a delivery gives it."""
        self.document["outcomes"][str(index)] = [outcome, reason or ""]
        self._mark("outcomes")

    def blank(self, index: int, player: str, person: str) -> None:
        """Replace a member's names by markers."""
        member = self.document["members"][index]
        member[:] = [player, person if member[1] else "", member[2]]
        self._mark("members")
        self._index = None
        if self.document.get("about", {}).pop(str(index), None) is not None:
            self._mark("about")

    def add_notification(self, message: str) -> None:
        """Record a message's id at its provider; it matches stream events without our tag."""
        if message not in self.document["notifications"]:
            self.document["notifications"].append(message)
            self._mark("notifications")

    def change_chunk(self, name: str) -> Chunk:
        """Return a chunk that a rule of this room is about to change."""
        self._mark("chunks")
        return self.chunks[name]

    def release(self, name: str, now: datetime, ttl: int) -> None:
        """Release a chunk, perhaps again."""
        self.change_chunk(name).release(now, ttl)

    def reserve(self, name: str, now: datetime) -> None:
        """Note that a chunk's messages are counted against the limit."""
        self.change_chunk(name).reserve(now)

    def postpone(self, name: str, until: datetime) -> None:
        """Plan a chunk for a later time."""
        self.change_chunk(name).postpone(until)

    def suppress_chunk(self, name: str, reason: SuppressedReason, at: datetime) -> None:
        self.change_chunk(name).end("suppressed", reason, at)

    def fail_chunk(self, name: str, reason: FailedReason, at: datetime) -> None:
        self.change_chunk(name).end("failed", reason, at)

    def split(self, name: str, halves: Sequence[Sequence[int]], at: datetime) -> None:
        """End a chunk; put its members into parts of it, which are called instead."""
        part_of = self.change_chunk(name).split(at)
        self._mark("members")
        for number, half in enumerate(halves):
            part = f"{name}-{number}"
            self.document["chunks"][part] = {**part_of}
            self.chunks[part] = Chunk(self.document["chunks"][part])
            for index in half:
                self.document["members"][index][2] = part

    def _mark(
        self, field: Literal["about", "chunks", "members", "notifications", "outcomes"]
    ) -> None:
        # Whole fields: one path of many in a document costs some engines a copy of it (docs/design.md 6).
        self._changed[field] = self.document[field]

    def changes(self, answer_timeout: timedelta) -> dict[str, Any]:
        """Return the complete `$set`: the changes and the fields derived from them; {} if none."""
        return {**self._changed, **self.derive(answer_timeout)} if self._changed else {}

    def derive(self, answer_timeout: timedelta) -> dict[str, Any]:
        """Compute and return the fields that follow from members and chunks."""
        chunks = self.chunks.values()
        answer_due_at = self._answer_due_at(answer_timeout)
        planned = (chunk.not_before for chunk in chunks if chunk.state == "planned")
        derived: dict[str, Any] = {
            "sums": encode_sums(summarise(self.document)),
            "open": not all(chunk.is_final for chunk in chunks),
            "inFlight": sum(chunk.state == "released" for chunk in chunks),
            "anyAttempted": any(chunk.is_attempted and not chunk.is_final for chunk in chunks),
            "answerDueAt": answer_due_at,
            "dueAt": min([answer_due_at, *planned]),
        }
        self.document.update(derived)  # type: ignore[typeddict-item]
        return derived

    def _answer_due_at(self, answer_timeout: timedelta) -> datetime:
        chunks = self.chunks.values()
        released = (chunk.released_at for chunk in chunks if chunk.state == "released")
        return min((at + answer_timeout for at in released if at is not None), default=NEVER)
