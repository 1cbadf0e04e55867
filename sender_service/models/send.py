"""A send: the state of one trigger from planning to a closed account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypedDict

from sender_service.models.malformed import Malformed
from sender_service.models.scenario.reference import ScenarioRef
from sender_service.models.sums import Sums
from shared.priority import Priority

SendState = Literal["planning", "scheduled", "sending", "paused", "cancelled", "done", "refused"]
# The end of time as MongoDB can hold it: "due never", so that due dates stay one indexed range.
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
EVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True, kw_only=True)
class Parts:
    """The parts of a send's list. `shared_digest`: of the terms that all parts repeat."""

    total: int
    shared_digest: str
    received: dict[str, str]  # part's number → the id of its document, which names its content
    recipients: int
    complete: bool


@dataclass(slots=True, kw_only=True)
class SendRow:
    """A send's state and account, as lists and closing read them. Any number are read at once."""

    id: str
    app: str
    campaign: str
    priority: Priority
    state: SendState  # never "scheduled" or "paused": other fields imply those
    paused: bool
    error: str | None
    created_at: datetime
    due_at: datetime
    expires_at: datetime
    pages: int
    totals: Sums | None  # fixed when the account closes
    closed_at: datetime | None
    expire_at: datetime
    sealed: bool  # about to be rolled up into its report: what comes now is late
    rolled_up: bool
    test: bool = False  # reports leave it out
    sealed_at: datetime | None = None
    scenario: ScenarioRef | None = None  # that fired it


@dataclass(slots=True, kw_only=True)
class SendOverview(SendRow):
    """A send without its trigger, which may be long."""

    digest: str
    parts: Parts | None
    malformed: dict[
        str, Malformed
    ]  # names that were left out, by part; "0" of a list that is whole
    warnings: list[dict[str, str]]  # unknown keys that the trigger had: field, code, message
    campaign_snapshot: dict[str, Any] | None  # the campaign version, from the first page on
    plan_due: datetime  # when a planner may take it: its lease while one has it, NEVER when planned
    planner: str | None
    begun: int  # how often planning was, since there were `pages_at_begin` pages
    pages_at_begin: int
    looks: int  # how often planning was put off, for names that nobody was known by


@dataclass(slots=True, kw_only=True)
class Send(SendOverview):
    """A send as stored."""

    trigger: dict[str, Any]  # of a list in parts its terms only


class PlanningChanges(TypedDict, total=False):
    """Attributes of a send that its planner changes."""

    campaign_snapshot: dict[str, Any]
    begun: int
    pages_at_begin: int
    looks: int
    pages: int
    state: SendState


FINAL: frozenset[str] = frozenset({"done", "cancelled", "refused"})


def public_state(send: SendRow, now: datetime) -> SendState:
    """Return the state that the ops API reports."""
    state = send.state
    if state in FINAL:
        return state
    if send.paused:
        return "paused"
    if state == "planning" and send.due_at > now:
        return "scheduled"
    return state
