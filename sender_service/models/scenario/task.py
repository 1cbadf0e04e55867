"""Tasks: minutes of work on an app that a request began, done by whichever process takes them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

TASK_RETENTION = timedelta(days=30)
TaskState = Literal["waiting", "running", "done", "failed"]
# `interrupted`: who worked on it died, or lost the database, each time anew. `faulty`: an error, which
# is in the log. `changed`: the scenario isn't any more as it was when a backfill of it began. `left`:
# nobody worked on it when another was begun.
TaskFault = Literal["interrupted", "too_long", "unknown_app", "faulty", "changed", "left"]
UNTAKEN = timedelta(minutes=5)  # one that nobody has taken for so long may be replaced
# Longer than work on one may take: its process died, and none came after.
MAX_AGE = timedelta(hours=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """An app's n-th task of a kind, about the time from `since` until `until`, when it was begun.

    `tries`: how often a process began it.
    """

    app: str
    since: datetime
    until: datetime
    n: int = 0
    state: TaskState = "waiting"
    holder: str | None = None
    tries: int = 0
    fault: TaskFault | None = None
    finished_at: datetime | None = None
    rev: int = 0

    @property
    def id(self) -> str:
        return f"{self.app}:{self.n}"

    @property
    def is_untaken(self) -> bool:
        """Return whether no process ever had it; each write raises `rev`."""
        return self.state == "waiting" and self.rev == 0

    def is_left(self, now: datetime) -> bool:
        """Return whether another may be begun in its place."""
        return now - self.until >= (UNTAKEN if self.is_untaken else MAX_AGE)

    @property
    def expires_at(self) -> datetime:
        return self.until + TASK_RETENTION
