"""Changes of stored runs, each made on the run's present state."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sender_service.models.scenario.run import Run
from sender_service.store.runs import RunStore


async def change_runs(store: RunStore, ids: Iterable[str], change: Callable[[Run], Run]) -> None:
    """Change these runs; a run that was written meanwhile is read and changed again.

    `change` returns the run itself where there is nothing to do. Raises StoreUnavailable.
    """
    left = list(ids)
    while left:
        read = (await store.get(left)).values()
        changed = [new for run, new in ((run, change(run)) for run in read) if new is not run]
        written = await store.replace_many(changed)
        left = [run.id for run in changed if run.id not in written]
