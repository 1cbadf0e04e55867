"""Answers about tasks: what those of all kinds have."""

from __future__ import annotations

from sender_service.models.scenario.task import TaskFault, TaskState
from sender_service.ops.responses.base import Moment, ResponseModel


class TaskResponse(ResponseModel):
    """Task about a scenario, from `since` until `until`."""

    n: int
    scenario: str
    state: TaskState
    since: Moment
    until: Moment
    fault: TaskFault | None
    finished_at: Moment | None
    expires_at: Moment
