"""A send: the state of one trigger from planning to a closed account."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal, TypedDict

from sender_service.models.malformed import Stored

SendState = Literal["planning", "scheduled", "sending", "paused", "cancelled", "done", "refused"]
# The end of time as MongoDB can hold it: "due never", so that due dates stay one indexed range.
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
EVER = datetime(1970, 1, 1, tzinfo=UTC)


class Sums(TypedDict):
    """The account of a page, send or report: audience = sent + pending + suppressed + failed."""

    audience: int
    sent: int
    pending: int
    suppressed: dict[str, int]
    failed: dict[str, int]
    people: dict[str, int]  # sent, pending, failed, suppressed, no_player: one place a person


class Parts(TypedDict):
    """The parts of a send's list. `shared`: the digest of the terms that all parts repeat."""

    total: int
    sharedDigest: str
    received: dict[str, str]  # part's number → the id of its document, which names its content
    recipients: int
    complete: bool


class Send(TypedDict, total=False):
    """A send as stored. `state` is never "scheduled" or "paused": other fields imply those."""

    _id: str
    head: str  # of the id, so that people may name a send by its first letters
    app: str
    campaign: str
    priority: str
    digest: str
    trigger: dict[str, Any]  # of a list in parts its terms only
    parts: Parts | None
    state: SendState
    paused: bool
    error: str | None
    malformed: dict[str, Stored]  # names that were left out, by part; "0" of a list that is whole
    warnings: list[dict[str, str]]  # unknown keys that the trigger had: field, code, message
    campaignSnapshot: dict[str, Any] | None  # the campaign version, from the first page on
    createdAt: datetime
    dueAt: datetime
    expiresAt: datetime
    planDue: datetime  # when a planner may take it: its lease while one has it, NEVER when planned
    planner: str | None
    begun: int  # how often planning was, since there were `pagesAtBegin` pages
    pagesAtBegin: int
    looks: int  # how often planning was put off, for names that nobody was known by
    pages: int
    totals: Sums | None  # fixed when the account closes
    closedAt: datetime | None
    expireAt: datetime
    sealed: bool  # about to be rolled up into its report: what comes now is late
    sealedAt: datetime
    rolledUp: bool


FINAL: frozenset[str] = frozenset({"done", "cancelled", "refused"})


def empty_sums() -> Sums:
    return {
        "audience": 0,
        "sent": 0,
        "pending": 0,
        "suppressed": {},
        "failed": {},
        "people": {"sent": 0, "pending": 0, "failed": 0, "suppressed": 0, "no_player": 0},
    }


def add_sums(total: Sums, more: Sums) -> None:
    """Add `more` to `total`, in place."""
    total["audience"] += more["audience"]
    total["sent"] += more["sent"]
    total["pending"] += more["pending"]
    for reason, count in more["suppressed"].items():
        total["suppressed"][reason] = total["suppressed"].get(reason, 0) + count
    for reason, count in more["failed"].items():
        total["failed"][reason] = total["failed"].get(reason, 0) + count
    for place, count in more["people"].items():
        total["people"][place] = total["people"].get(place, 0) + count


def public_state(send: Send, now: datetime) -> SendState:
    """Return the state that the ops API reports."""
    state = send["state"]
    if state in FINAL:
        return state
    if send.get("paused"):
        return "paused"
    if state == "planning" and send["dueAt"] > now:
        return "scheduled"
    return state
