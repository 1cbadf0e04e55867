"""Stores of tasks, a collection a kind: those of an app are numbered, and one at a time is worked off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Generic, TypedDict, TypeVar

from pymongo.errors import DuplicateKeyError

from sender_service.models.scenario.task import UNTAKEN, Task, TaskFault, TaskState
from shared.errors import Conflict
from shared.mongo.client import Database, Document, if_unchanged, translate_mongo_errors
from shared.mongo.collections import CollectionSpec
from shared.mongo.whole_reads import read_all


class TaskFields(TypedDict):
    """Fields of a task, for the constructors of its kinds."""

    app: str
    n: int
    since: datetime
    until: datetime
    state: TaskState
    holder: str | None
    tries: int
    fault: TaskFault | None
    finished_at: datetime | None
    rev: int


NOT_OVER = ["waiting", "running"]
T = TypeVar("T", bound=Task)


class TaskStore(Generic[T]):
    """Stores tasks of a kind. Every method raises StoreUnavailable when MongoDB is away."""

    def __init__(
        self,
        database: Database,
        collection: CollectionSpec,
        encode: Callable[[T], Document],
        decode: Callable[[Document], T],
    ) -> None:
        self.kind = collection.name.removesuffix("s")
        self._tasks = database[collection.name]
        self._encode = encode
        self._decode = decode

    async def begin(self, task: T) -> T:
        """Insert the app's next task, begun at its `until`; end one that nobody works on.

        Raises Conflict while another one isn't over.
        """
        with translate_mongo_errors():
            known = await read_all(self._tasks, {"app": task.app}, {"n": 1, "state": 1})
        for one in known:
            if one["state"] in NOT_OVER:
                await self._end_left(task.app, one["n"], task.until)
        numbered = replace(task, n=max((one["n"] for one in known), default=0) + 1)
        with translate_mongo_errors():
            try:
                await self._tasks.insert_one(self._encode(numbered))
            except DuplicateKeyError:  # begun at the same time
                raise self._already_running() from None
        return numbered

    async def _end_left(self, app: str, n: int, now: datetime) -> None:
        """End a task that nobody works on. Raises Conflict where somebody may."""
        one = await self.get(app, n)
        if one is None or one.state not in NOT_OVER:
            return
        if not one.is_left(now):
            raise self._untaken() if one.is_untaken else self._already_running()
        if await self.replace(replace(one, state="failed", fault="left", finished_at=now)) is None:
            raise self._already_running()  # taken just now

    async def get(self, app: str, n: int) -> T | None:
        with translate_mongo_errors():
            found = await self._tasks.find_one({"_id": f"{app}:{n}"})
        return None if found is None else self._decode(found)

    async def open(self) -> list[T]:
        """Return tasks that aren't over, of all apps."""
        with translate_mongo_errors():
            found = await read_all(self._tasks, {"state": {"$in": NOT_OVER}})
        return sorted(map(self._decode, found), key=lambda one: one.until)

    async def replace(self, task: T) -> T | None:
        """Write the task; return it as it is since, None where it isn't as it was read."""
        document = self._encode(task)
        changed: Document = {**document, "rev": task.rev + 1}
        with translate_mongo_errors():
            result = await self._tasks.replace_one(if_unchanged(document), changed)
        return replace(task, rev=task.rev + 1) if result.matched_count else None

    def _already_running(self) -> Conflict:
        return Conflict(f"a {self.kind} of this app is not over yet", code="already_running")

    def _untaken(self) -> Conflict:
        minutes = UNTAKEN // timedelta(minutes=1)
        message = (
            f"a {self.kind} of this app is not over yet: it waits for a sender with the role scenarios."
            f" If {minutes} minutes after its begin none has taken it, another may be begun in its place"
        )
        return Conflict(message, code="already_running")


def encode_task(task: Task) -> Document:
    """Return what the documents of all kinds have."""
    return {
        "_id": task.id,
        "app": task.app,
        "n": task.n,
        "since": task.since,
        "until": task.until,
        "state": task.state,
        "holder": task.holder,
        "tries": task.tries,
        "fault": task.fault,
        "finishedAt": task.finished_at,
        "expireAt": task.expires_at,
        "rev": task.rev,
    }


def decode_task(document: Document) -> TaskFields:
    """Return those as a task's fields."""
    return {
        "app": document["app"],
        "n": document["n"],
        "since": document["since"],
        "until": document["until"],
        "state": document["state"],
        "holder": document["holder"],
        "tries": document["tries"],
        "fault": document["fault"],
        "finished_at": document["finishedAt"],
        "rev": document["rev"],
    }
