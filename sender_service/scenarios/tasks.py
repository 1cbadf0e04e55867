"""Tasks of one kind, worked off one after another.

Whoever takes a task over from a process that died begins it anew; after some tries it has failed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from sender_service.models.scenario.task import Task
from sender_service.scenarios.taken_task import TakenTask, TaskLost, TaskStopped
from sender_service.store.tasks import TaskStore
from shared.clock import Clock, Monotonic
from shared.errors import Unavailable
from shared.health import Component
from shared.loops import sleep_or_stop
from shared.mongo.errors import blame_database

log = logging.getLogger("carillon.scenarios")

SEARCH_SECONDS = 2.0  # between two looks for tasks
LEFT_SECONDS = 30.0  # one whose document stands still for so long is left
MAX_TRIES = 3
T = TypeVar("T", bound=Task)
Work = Callable[[TakenTask[T]], Awaitable[None]]


@dataclass(slots=True)
class TaskRunner(Generic[T]):
    """Runner of tasks in this process, whose name is `holder`."""

    store: TaskStore[T]
    holder: str
    clock: Clock
    monotonic: Monotonic
    # By id of a task: its `rev`, and since when it stands still.
    _seen: dict[str, tuple[int, float]] = field(default_factory=dict, init=False)

    async def look(self, work: Work[T], stop: asyncio.Event, component: Component) -> None:
        """Work off what waits, or was left. Raises Unavailable."""
        found = await self.store.open()
        self._seen = {one.id: self._look_at(one) for one in found}
        for task in found:
            if stop.is_set():
                return
            if self._is_left(task):
                try:
                    await self._serve(task, work, stop, component)
                except TaskLost:
                    log.warning("task lost", extra={"app": task.app, "kind": self.store.kind})

    def _look_at(self, task: T) -> tuple[int, float]:
        """Return the task's `rev`, and since when this process sees it."""
        rev, since = self._seen.get(task.id, (-1, 0.0))
        return (rev, since) if rev == task.rev else (task.rev, self.monotonic())

    def _is_left(self, task: T) -> bool:
        """Return whether nobody works on it; by the own clock, for those of replicas differ."""
        if task.state == "waiting" or task.holder == self.holder:
            return True
        return self.monotonic() - self._seen[task.id][1] >= LEFT_SECONDS

    async def _serve(
        self, task: T, work: Work[T], stop: asyncio.Event, component: Component
    ) -> None:
        """Work the task off. Raises TaskLost, Unavailable."""

        def beat() -> None:
            component.beat()
            if stop.is_set():
                raise TaskStopped

        mine = replace(task, state="running", holder=self.holder, tries=task.tries + 1)
        written = await self.store.replace(mine)
        if written is None:
            return
        taken = TakenTask(written, self.store, self.clock, self.monotonic, beat)
        if written.tries > MAX_TRIES:
            await taken.fail("interrupted")
            return
        try:
            await work(taken)
        except TaskStopped:
            await taken.give_back()
        except (TaskLost, Unavailable):
            raise
        except Exception as exc:  # a bug, or a document changed by hand
            extra = {"app": task.app, "kind": self.store.kind}
            log.error("task failed", exc_info=exc, extra=extra)
            await taken.fail("faulty")


async def run_tasks(
    look: Callable[[Component, asyncio.Event], Awaitable[None]],
    stop: asyncio.Event,
    component: Component,
) -> None:
    """Look again and again until `stop`."""
    while not stop.is_set():
        try:
            with blame_database():
                await look(component, stop)
            component.beat()
        except Unavailable as exc:
            component.wait_for(exc)
        await sleep_or_stop(stop, SEARCH_SECONDS)
