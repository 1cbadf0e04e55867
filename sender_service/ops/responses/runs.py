"""Answers about what a scenario does: its runs and its firings."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sender_service.models.scenario.firing import FiringState
from sender_service.ops.responses.base import ABSENT, Items, Moment, ResponseModel


class RunEntryResponse(ResponseModel):
    """Entry. `key`: the order, or value of an event, that keeps the person's runs apart."""

    at: Moment
    event: str
    items: list[str]
    key: Annotated[str | None, ABSENT] = None


class RunPushResponse(ResponseModel):
    """Push of a run. `send`: its account is `GET /v1/sends/{send}`."""

    step: str
    send: str
    at: Moment
    items: list[str]


class SkippedStepResponse(ResponseModel):
    step: str
    why: str
    at: Moment


class RunEndResponse(ResponseModel):
    why: str
    at: Moment


class RunResponse(ResponseModel):
    """A person's run. `step`: the next one; `due`: when it is looked at, null once it is over."""

    run: Annotated[str, Field(description="its name")]
    person: str
    state: Literal["waiting", "over"]
    version: Annotated[int, Field(description="of the scenario, by which the person entered")]
    entered: RunEntryResponse
    step: str | None
    due: Moment | None
    ended: RunEndResponse | None
    pushes: list[RunPushResponse]
    skipped: list[SkippedStepResponse]


class RunListResponse(Items[RunResponse]):
    """A part of a list. `next`: the next `after`; null at the end."""

    next: str | None


class FiringResponse(ResponseModel):
    """A step's push to the people with whom it was due together. `id`: its send's.

    `counts`: people by result, once its send is closed.
    """

    id: str
    step: str
    version: int
    campaign: str
    state: FiringState
    created_at: Moment
    due_at: Moment
    expires_at: Moment
    counts: dict[str, int]


class FiringListResponse(Items[FiringResponse]):
    """A part of a list. `next`: the next `before`; null at the end."""

    next: Moment | None
