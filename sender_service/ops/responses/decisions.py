"""Answers about a person in a scenario: her runs, and what a look at her comes to now."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

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


class ScenarioExplanationResponse(ResponseModel):
    """A person in a scenario. `runs`: her newest 20, the newest first."""

    id: str
    name: str
    version: int
    enabled: bool
    runs: list[RunResponse]
    now: list[DecisionResponse]
