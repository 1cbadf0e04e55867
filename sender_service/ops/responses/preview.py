"""Response model of a preview: what a send would do."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sender_service.ops.responses.base import ResponseModel, WarningResponse, WholeSecond
from sender_service.ops.responses.sends import MalformedNameResponse


class PlannedResponse(ResponseModel):
    """The part of the audience that was planned."""

    people: int
    share: float


class WouldReceiveResponse(ResponseModel):
    people: int
    players: int


class PreviewPeopleCounts(ResponseModel):
    failed: int
    suppressed: int
    no_player: Annotated[int, Field(alias="no_player")]
    malformed: int


class SampleResponse(ResponseModel):
    """The rendered push of one player. `language`: the person's."""

    player: str
    language: str
    variant: str
    heading: str
    content: str
    url: str
    icon: str | None
    image: str | None
    buttons: Annotated[list[str], Field(description="their texts")]


class QuietHoursWaitResponse(ResponseModel):
    """Messages that would wait for the end of quiet hours."""

    waiting: int
    until: WholeSecond


class WindowResponse(ResponseModel):
    """Messages of the rolling 15 minutes. `mustWait`: whether the send would wait for the next ones."""

    allowance: int
    left: int
    disable_limit: Annotated[int, Field(description="at which the provider disables the app")]
    must_wait: bool
    disable_limit_share: Annotated[float, Field(description="of the limit that would go at once")]
    near: bool


class ForecastResponse(ResponseModel):
    """Forecast of the duration. `seconds` is null where the app can't send."""

    calls: int
    messages: int
    request_seconds: int | None
    seconds: int | None
    window: WindowResponse | None


class PreviewResponse(ResponseModel):
    """A send that was planned, and neither sent nor stored."""

    app: str
    campaign: str
    exact: Annotated[bool, Field(description="false: the counts are extrapolated")]
    planned: PlannedResponse
    audience: int
    would_receive: WouldReceiveResponse
    suppressed: Annotated[dict[str, int], Field(description="players by reason")]
    failed: Annotated[dict[str, int], Field(description="players by reason")]
    people: PreviewPeopleCounts
    malformed: list[MalformedNameResponse]
    refusal: Annotated[str | None, Field(description="why the send would be refused")]
    warnings: list[WarningResponse]
    samples: list[SampleResponse]
    quiet_hours: QuietHoursWaitResponse | None
    forecast: ForecastResponse
