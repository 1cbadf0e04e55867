"""Answers about backfills."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sender_service.ops.responses.base import Moment
from sender_service.ops.responses.tasks import TaskResponse


class BackfillResponse(TaskResponse):
    """Backfill of a scenario's version. `refused`: entries by reason; `over`: the step was due already."""

    version: int
    spread: Annotated[int, Field(description="minutes")]
    reached: Annotated[Moment | None, Field(description="until when the log was read")]
    known_since: Annotated[
        Moment | None, Field(description="where the log begins later than `since`: when")
    ]
    moments: Annotated[int, Field(description="moments with a fact that may enter")]
    entered: int
    refused: dict[str, int]
