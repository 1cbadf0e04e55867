"""Response models of people: profiles, outcomes in sends, requests for erasure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from sender_service.ops.responses.base import ABSENT, Items, Moment, ResponseModel
from sender_service.ops.responses.decisions import ScenarioExplanationResponse


class PersonPlayerResponse(ResponseModel):
    """A browser that may get pushes."""

    id: str
    state: str
    browser: str | None
    proven: bool
    last_seen_at: Moment


class PersonResponse(ResponseModel):
    """A person. `aliases`: ids of people that were merged into it."""

    id: str
    app: str
    login: str | None
    email: str | None
    visitors: list[str]
    players: list[PersonPlayerResponse]
    aliases: list[str]
    last_seen_at: Moment
    time_zone: str | None
    language: str | None
    browser: str | None


class OutcomeResponse(ResponseModel):
    """Outcome of a person's player in a send."""

    send: str
    campaign: str
    variant: str | None
    player: str
    outcome: str
    reason: str | None
    detail: Annotated[str | None, Field(description="of the reason, or a text's fault")]
    at: Moment | None
    notification_id: str | None


def to_outcomes(found: Sequence[dict[str, Any]]) -> list[OutcomeResponse]:
    return [OutcomeResponse(**each) for each in found]


class ExplanationResponse(Items[OutcomeResponse]):
    """Outcomes of a person's players, the newest send first."""

    sends_searched: Annotated[
        int | None, ABSENT, Field(description="absent where the request names a send or scenario")
    ] = None
    scenario: Annotated[ScenarioExplanationResponse | None, ABSENT] = None


class ErasureResponse(ResponseModel):
    """Events that erase a person. `events`: the ids of the first 1,000 of `count`."""

    person: str
    events: list[str]
    count: int


class UndoneMergeResponse(ResponseModel):
    """The event that undoes a merge."""

    person: str
    event: str
