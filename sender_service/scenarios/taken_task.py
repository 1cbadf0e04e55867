"""Task that this process holds: its document is written while the work goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from sender_service.models.scenario.task import Task, TaskFault
from sender_service.store.tasks import TaskStore
from shared.clock import Clock, Monotonic

WRITTEN_AFTER_SECONDS = 3.0  # who works on a task writes as often
T = TypeVar("T", bound=Task)


class TaskLost(Exception):
    """Another process has the task."""


class TaskStopped(Exception):
    """Stop of this process."""


@dataclass(slots=True)
class TakenTask(Generic[T]):
    """Task as it was written last. Methods raise TaskLost, StoreUnavailable.

    `beat` is called often; it raises TaskStopped where this process stops.
    """

    task: T
    store: TaskStore[T]
    clock: Clock
    monotonic: Monotonic
    beat: Callable[[], None]
    _written_at: float = field(init=False)

    def __post_init__(self) -> None:
        self._written_at = self.monotonic()

    async def note(self, task: T) -> None:
        """Keep the progress; write it once in a while."""
        if self.monotonic() - self._written_at > WRITTEN_AFTER_SECONDS:
            await self.write(task)
        else:
            self.task = task

    async def write(self, task: T) -> None:
        written = await self.store.replace(task)
        if written is None:
            raise TaskLost
        self.task, self._written_at = written, self.monotonic()

    async def finish(self, task: T) -> None:
        await self.write(replace(task, state="done", finished_at=self.clock()))

    async def fail(self, fault: TaskFault) -> None:
        failed = replace(self.task, state="failed", fault=fault, finished_at=self.clock())
        await self.write(failed)

    async def give_back(self) -> None:
        """Let another process go on: this one's try doesn't count."""
        tries = self.task.tries - 1
        await self.write(replace(self.task, state="waiting", holder=None, tries=tries))
