"""Answers about backfills."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sender_service.models.scenario.task import TaskFault, TaskState
from sender_service.ops.responses.base import Moment, ResponseModel


class BackfillResponse(ResponseModel):
    """Backfill of a scenario's version. `refused`: entries by reason; `over`: the step was due already."""

    n: int
    scenario: str
    version: int
    state: TaskState
    since: Moment
    until: Moment
    spread: Annotated[int, Field(description="minutes")]
    reached: Annotated[Moment | None, Field(description="until when the log was read")]
    known_since: Annotated[
        Moment | None, Field(description="where the log begins later than `since`: when")
    ]
    moments: Annotated[int, Field(description="moments with a fact that may enter")]
    entered: int
    refused: dict[str, int]
    fault: TaskFault | None
    finished_at: Moment | None
    expires_at: Moment
