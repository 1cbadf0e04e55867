"""Answers about simulations."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sender_service.ops.responses.base import Moment, ResponseModel
from sender_service.ops.responses.tasks import TaskResponse


class EstimateResponse(ResponseModel):
    """Count in the sample; of all people its likely value and an interval of 95 %, where some could be
    simulated."""

    sample: int
    estimate: int | None
    low: int | None
    high: int | None


class SimulatedHourResponse(ResponseModel):
    at: Moment
    sample: int
    estimate: int | None


class SimulatedSideResponse(ResponseModel):
    """Pushes and people of one version. `people`: those with a push; `pushesAPerson`: how many got so many.

    `skipped`, `ended`, `refused`: counts in the sample by reason. `otherPushes`: of the app's other
    scenarios.
    """

    entered: EstimateResponse
    pushes: EstimateResponse
    people: EstimateResponse
    hours: list[SimulatedHourResponse]
    pushes_a_person: dict[str, int]
    skipped: dict[str, int]
    ended: dict[str, int]
    refused: dict[str, int]
    other_pushes: int


class SimulationBaseResponse(ResponseModel):
    """Sample. `share`: of the app's people. `leftOut`: people whose history lacks something, by reason."""

    share: float
    persons: int
    counted: int
    left_out: dict[str, int]
    known_since: Annotated[Moment | None, Field(description="the first moment that is kept")]
    today: Annotated[list[str], Field(description="taken from present profiles")]
    unknown: Annotated[list[str], Field(description="what no history shows")]


class SimulationResponse(TaskResponse):
    """Simulation. `draft`: as if it had been on; `present`: the stored one as it was, null without one."""

    done: Annotated[int, Field(description="people who are behind")]
    persons: Annotated[int, Field(description="people of the sample, once they were counted")]
    base: SimulationBaseResponse | None
    draft: SimulatedSideResponse | None
    present: SimulatedSideResponse | None
