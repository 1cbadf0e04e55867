"""The stored page: at most 2,000 members of a send, their chunks and outcomes."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, NotRequired, TypedDict

from sender_service.models.sums import SumsDocument
from shared.ids import SLOTS
from shared.priority import Priority
from shared.providers import DEFAULT_PROVIDER
from shared.reasons import FinalReason

# "split": refused as a whole; its members are in parts of it, "<chunk>-<n>".
ChunkState = Literal["planned", "released", "sent", "failed", "suppressed", "split"]
MemberState = Literal["sent", "pending", "failed", "suppressed"]
Member = list[str]  # player, person, chunk
StoredClaim = list[Any]  # item, price or None


class ChunkDocument(TypedDict):
    """Members with one body: one provider call. `release` counts how often it was handed out."""

    variant: str
    provider: str
    timeZone: str  # of its members, where quiet hours apply; else ""
    state: ChunkState
    reason: FinalReason | None
    generation: int
    release: int
    attempts: int  # answered, but not to an end
    unsentReleases: (
        int  # releases that the provider refused, or without a call: nothing of them was sent
    )
    attempted: bool  # it may have been called: set by the release
    notBefore: datetime
    releasedAt: datetime | None
    reservedAt: datetime | None  # when its messages were counted last against the limit
    ttl: int | None  # seconds, frozen by a generation's first release that may have been called
    notificationId: str | None
    at: datetime | None


class PageDocument(TypedDict):
    """The document, `_id` = "<send>:<number>"."""

    _id: str
    send: str
    app: str
    number: int
    priority: Priority
    resumeAt: Any  # the cursor to go on from; None on the last page
    members: list[Member]
    outcomes: dict[str, list[Any]]  # member's index → [MemberState, FinalReason or "", detail?]
    about: NotRequired[dict[str, list[StoredClaim]]]  # a scenario's: what members' pushes are about
    refused: NotRequired[dict[str, int]]  # people up to `resumeAt` whom the clock didn't enter
    faults: NotRequired[dict[str, str]]  # what is wrong with the texts of the first members
    chunks: dict[str, ChunkDocument]
    notifications: list[str]  # the providers' ids of its chunks' messages
    noPlayer: int
    capReserved: bool  # its people were counted against a cap: given back where nothing was sent
    open: bool
    dueAt: datetime
    inFlight: int  # chunks released and not answered
    answerDueAt: datetime  # when the first of these has been so for too long
    anyAttempted: bool  # a chunk may have been called and isn't at its end: no pause delays it
    sums: SumsDocument
    plannedAt: datetime
    bodiesId: str  # the id of their document, given when the page is inserted
    rev: int
    expireAt: datetime


END: list[Any] = [SLOTS, ""]  # the cursor behind all people of a segment


def page_id(send: str, number: int) -> str:
    return f"{send}:{number}"


def send_of(page: str) -> str:
    """Return the send's id of a page's id."""
    return page.rsplit(":", 1)[0]


def new_chunk(
    variant: str, now: datetime, time_zone: str = "", provider: str = DEFAULT_PROVIDER
) -> ChunkDocument:
    return {
        "variant": variant,
        "provider": provider,
        "timeZone": time_zone,
        "state": "planned",
        "reason": None,
        "generation": 1,
        "release": 0,
        "attempts": 0,
        "unsentReleases": 0,
        "attempted": False,
        "notBefore": now,
        "releasedAt": None,
        "reservedAt": None,
        "ttl": None,
        "notificationId": None,
        "at": None,
    }
