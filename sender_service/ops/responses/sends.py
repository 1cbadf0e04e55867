"""Response models of sends: heads in lists, whole accounts."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sender_service.models.send import SendState
from sender_service.ops.responses.base import ABSENT, Items, Moment, ResponseModel, WarningResponse
from sender_service.ops.responses.reports import PeopleCounts
from shared.priority import Priority


class SendScenarioResponse(ResponseModel):
    """Scenario and step that triggered a send."""

    id: str
    step: str
    version: int


class SendHeadResponse(ResponseModel):
    """A send without its account."""

    id: str
    app: str
    campaign: str
    priority: Priority
    scenario: Annotated[SendScenarioResponse | None, ABSENT] = None
    state: SendState
    error: Annotated[str | None, Field(description="why it was refused, or ended early")]
    created_at: Moment
    due_at: Moment
    expires_at: Moment
    closed_at: Annotated[Moment | None, Field(description="when its account became final")]


class SendListItemResponse(SendHeadResponse):
    """A send in a list. A closed one has its counts."""

    audience: int | None
    sent: int | None


class SendListResponse(Items[SendListItemResponse]):
    """A part of a list, which may be short, or empty. `next`: the next `before`; null at the end."""

    next: Moment | None


class MalformedNameResponse(ResponseModel):
    """A name that was left out. `index`: its place in the list, or in its part of it."""

    index: int
    code: str
    message: str
    part: Annotated[int | None, ABSENT] = None


class PartsResponse(ResponseModel):
    """Parts of a list that isn't complete yet."""

    of: int
    came: int


class WaitingResponse(ResponseModel):
    """Reason why nothing is sent now. `until`: the earliest next release; null if unknown."""

    code: str
    message: str
    until: Moment | None


class RemainingResponse(ResponseModel):
    """Forecast of a running send; null where it can't be known."""

    seconds: int | None


class SendPeopleCounts(PeopleCounts):
    malformed: Annotated[int, Field(description="names that were left out")]


class SendResponse(SendHeadResponse):
    """Account of a send: audience = sent + pending + suppressed + failed."""

    digest: Annotated[str, Field(description="of its trigger")]
    warnings: list[WarningResponse]
    malformed: Annotated[list[MalformedNameResponse], Field(description="the first of them")]
    parts: PartsResponse | None
    limited_since: Annotated[Moment | None, Field(description="by the message limit")]
    waiting: list[WaitingResponse]
    forecast: RemainingResponse | None
    audience: int
    sent: int
    pending: int
    suppressed: Annotated[dict[str, int], Field(description="players by reason")]
    failed: Annotated[dict[str, int], Field(description="players by reason")]
    not_applicable: Annotated[dict[str, int], Field(description="players by detail of this reason")]
    people: SendPeopleCounts
    impressions: int
    clicks: int
    closes: int
