"""A page: at most 2,000 members of a send, their chunks and outcomes. Pure; no I/O.

A member's outcome is its own where it has one, else its chunk's: so what is written is in proportion
to the exceptions. Members change only by a split of their chunk; everything goes through `PageEdit`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NotRequired, TypedDict

from sender_service.models.send import NEVER, Sums, empty_sums
from shared.reasons import DeliveryOutcome, FinalReason

# "split": refused as a whole; its members are in parts of it, "<chunk>-<n>".
ChunkState = Literal["planned", "released", "sent", "failed", "suppressed", "split"]
MemberState = Literal["sent", "pending", "failed", "suppressed"]
FINAL_CHUNK: frozenset[str] = frozenset({"sent", "failed", "suppressed", "split"})
Member = tuple[str, str, str]  # player, person, chunk; as an array in the document
_PEOPLE_ORDER = ("sent", "pending", "failed", "suppressed")


class Chunk(TypedDict):
    """Members with one body: one OneSignal call. `release` counts how often it was handed out."""

    variant: str
    timeZone: str  # of its members, where quiet hours apply; else ""
    state: ChunkState
    reason: FinalReason | None
    generation: int
    release: int
    attempts: int  # answered, but not to an end
    settled: int  # releases that OneSignal refused, or that it wasn't called for: nothing of them was sent
    attempted: bool  # it may have been called: set by the release
    notBefore: datetime
    releasedAt: datetime | None
    reservedAt: datetime | None  # when its messages were counted last against the limit
    ttl: int | None  # seconds, frozen by the first release of a generation
    notificationId: str | None
    at: datetime | None


class Page(TypedDict):
    """The document, `_id` = "<send>:<number>"."""

    _id: str
    send: str
    app: str
    number: int
    priority: str
    resumeAt: Any  # the cursor to go on from; None on the last page
    members: list[list[str]]
    outcomes: dict[str, list[Any]]  # member's index → [MemberState, FinalReason or ""]
    faults: NotRequired[dict[str, str]]  # what is wrong with the texts of the first members
    chunks: dict[str, Chunk]
    notifications: list[str]  # OneSignal's ids of its chunks' messages
    noPlayer: int
    capReserved: bool  # its people were counted against a cap: given back where nothing was sent
    open: bool
    dueAt: datetime
    inFlight: int  # chunks released and not answered
    answerDueAt: datetime  # when the first of these has been so for too long
    anyAttempted: (
        bool  # a chunk may have been called and isn't at its end: pausing doesn't hold it back
    )
    sums: Sums
    plannedAt: datetime
    bodiesId: str  # the id of their document, given when the page is inserted
    rev: int
    expireAt: datetime


def page_id(send: str, n: int) -> str:
    return f"{send}:{n}"


def send_of(page: str) -> str:
    """Return the send's id of a page's id."""
    return page.rsplit(":", 1)[0]


def new_chunk(variant: str, now: datetime, time_zone: str = "") -> Chunk:
    return {
        "variant": variant,
        "timeZone": time_zone,
        "state": "planned",
        "reason": None,
        "generation": 1,
        "release": 0,
        "attempts": 0,
        "settled": 0,
        "attempted": False,
        "notBefore": now,
        "releasedAt": None,
        "reservedAt": None,
        "ttl": None,
        "notificationId": None,
        "at": None,
    }


def outcome_of(page: Page, index: int) -> tuple[MemberState, FinalReason | None]:
    """Return outcome and reason of a member."""
    own = page["outcomes"].get(str(index))
    if own is not None:
        return own[0], own[1] or None
    chunk = page["chunks"][page["members"][index][2]]
    state = chunk["state"]
    if state == "planned" or state == "released" or state == "split":
        return "pending", None
    return state, chunk["reason"]


def pending_members(page: Page, chunk: str) -> list[int]:
    """Return the indexes of the members in a call for this chunk."""
    return [
        index
        for index, member in enumerate(page["members"])
        if member[2] == chunk and str(index) not in page["outcomes"]
    ]


def root_of(chunk: str) -> str:
    return chunk.split("-", 1)[0]


def unsent_people(page: Page) -> list[str]:
    """Return the page's people whose players all got nothing from it."""
    # Another page may have sent to them: a player with a new owner moves to a later page.
    sent: dict[str, bool] = {}
    for index, member in enumerate(page["members"]):
        if not member[2]:
            continue
        got = outcome_of(page, index)[0] == "sent"
        sent[member[1]] = sent.get(member[1], False) or got
    return [person for person, got in sent.items() if not got and person]


def pending_counts(page: Page, chunks: Sequence[str]) -> dict[str, int]:
    """Count the members without an outcome of their own, by chunk."""
    counts = dict.fromkeys(chunks, 0)
    for index, member in enumerate(page["members"]):
        if member[2] in counts and str(index) not in page["outcomes"]:
            counts[member[2]] += 1
    return counts


def summarise(page: Page) -> Sums:
    """Compute the sums from the members; they are never incremented."""
    sums = empty_sums()
    reasons: dict[str, Counter[str]] = {"suppressed": Counter(), "failed": Counter()}
    people: dict[str, int] = {}
    for index, member in enumerate(page["members"]):
        outcome, reason = outcome_of(page, index)
        sums["audience"] += 1
        if outcome == "sent":
            sums["sent"] += 1
        elif outcome == "pending":
            sums["pending"] += 1
        else:
            reasons[outcome][reason or "unknown"] += 1
        place = _PEOPLE_ORDER.index(outcome)
        person = member[1] or member[0]  # nobody knows who an unknown player is: one each
        people[person] = min(place, people.get(person, place))
    sums["suppressed"] = dict(reasons["suppressed"])
    sums["failed"] = dict(reasons["failed"])
    for place in people.values():
        sums["people"][_PEOPLE_ORDER[place]] += 1
    sums["people"]["no_player"] = page["noPlayer"]
    return sums


class PageEdit:
    """Collects changes to a page as the `$set` of one conditional update."""

    def __init__(self, page: Page, answer_timeout_seconds: float) -> None:
        self.page = page
        self.changes: dict[str, Any] = {}
        self.sweep = timedelta(seconds=answer_timeout_seconds)
        self._index: dict[str, int] | None = None

    def index_of(self, player: str) -> int | None:
        if self._index is None:
            self._index = {member[0]: i for i, member in enumerate(self.page["members"])}
        return self._index.get(player)

    def chunk(self, chunk: str, **fields: Any) -> None:
        """Set fields of a chunk."""
        self.page["chunks"][chunk].update(fields)  # type: ignore[typeddict-item]
        self._changed("chunks")

    def move(self, index: int, chunk: str) -> None:
        self.page["members"][index][2] = chunk
        self._changed("members")

    def blank(self, index: int, player: str, person: str) -> None:
        """Replace a member's names by markers."""
        member = self.page["members"][index]
        member[:] = [player, person if member[1] else "", member[2]]
        self._changed("members")

    def add_chunk(self, name: str, chunk: Chunk) -> None:
        self.page["chunks"][name] = chunk
        self._changed("chunks")

    def notification(self, message: str) -> None:
        """Record a message's OneSignal id; it matches stream events without our tag."""
        if message not in self.page["notifications"]:
            self.page["notifications"].append(message)
            self._changed("notifications")

    def outcome(self, index: int, outcome: DeliveryOutcome, reason: FinalReason | None) -> None:
        self.page["outcomes"][str(index)] = [outcome, reason or ""]
        self._changed("outcomes")

    def _changed(self, field: Literal["chunks", "members", "notifications", "outcomes"]) -> None:
        # Whole fields: one path of many in a document costs some engines a copy of it (docs/design.md 6).
        self.changes[field] = self.page[field]

    def finish(self) -> dict[str, Any]:
        """Return the complete `$set`: the changes and the fields derived from them."""
        if self.changes:
            chunks = self.page["chunks"].values()
            states = [chunk["state"] for chunk in chunks]
            derived: dict[str, Any] = {
                "sums": summarise(self.page),
                "open": any(state not in FINAL_CHUNK for state in states),
                "inFlight": states.count("released"),
                "anyAttempted": any(
                    c["attempted"] and c["state"] not in FINAL_CHUNK for c in chunks
                ),
                "answerDueAt": self._answer_due_at(),
                "dueAt": self._due_at(),
            }
            self.page.update(derived)  # type: ignore[typeddict-item]
            self.changes.update(derived)
        return self.changes

    def _due_at(self) -> datetime:
        """Return when the scheduler must check the page next."""
        chunks = self.page["chunks"].values()
        planned = (chunk["notBefore"] for chunk in chunks if chunk["state"] == "planned")
        return min([self._answer_due_at(), *planned])

    def _answer_due_at(self) -> datetime:
        chunks = self.page["chunks"].values()
        released = (chunk["releasedAt"] for chunk in chunks if chunk["state"] == "released")
        return min((at + self.sweep for at in released if at is not None), default=NEVER)
