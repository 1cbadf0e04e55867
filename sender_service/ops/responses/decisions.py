"""Answers about a person in a scenario: her runs, and what a look at her comes to now."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sender_service.models.scenario.firing import FiringState
from sender_service.ops.responses.base import ABSENT, Moment, ResponseModel
from sender_service.ops.responses.runs import RunResponse

DecisionName = Literal["enter", "wait", "push", "skip", "end", "refuse"]


class CheckResponse(ResponseModel):
    """A rule as it was applied. `ok`: it stopped nothing."""

    rule: str
    ok: bool
    detail: str
    sentence: str


class DecisionResponse(ResponseModel):
    """Decision of a look now. `run`: the run that it is about; null where none waits: then it says
    what would become of an entry now. `at`: the due time, or until when is waited.
    """

    run: str | None
    result: DecisionName
    step: str | None
    why: Annotated[str | None, ABSENT] = None
    at: Annotated[Moment | None, ABSENT] = None
    sentence: str
    checks: Annotated[list[CheckResponse], Field(description="in their order; the last decided")]


class ClockFiringResponse(ResponseModel):
    """Firing of the scenario's clock, and what it was to the person, also where she has no run of it.

    `result`: `sent`, `pending`, or why nothing was sent; null: she is not in its audience. Why somebody
    isn't is kept as a number of people alone, in `counts`.
    """

    send: str
    step: str
    at: Moment
    state: FiringState
    result: str | None
    counts: dict[str, int]
    sentence: str


class ScenarioExplanationResponse(ResponseModel):
    """A person in a scenario. `runs`: her newest 20, the newest first. `firings`: the newest 10 of the
    scenario's clock that were for her; empty where moments enter."""

    id: str
    name: str
    version: int
    enabled: bool
    runs: list[RunResponse]
    firings: list[ClockFiringResponse]
    now: list[DecisionResponse]
