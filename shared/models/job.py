"""Value of `carillon.jobs.*`: one call of a push provider."""

from __future__ import annotations

from typing import Any, Literal

from shared.models.wire import Moment, Wire
from shared.priority import CallPriority
from shared.providers import DEFAULT_PROVIDER


class Job(Wire):
    """One call. Its request never changes within a generation: a new release repeats the call.

    `body` is the provider's payload without targets and key; `players` are the targets. `release`
    counts how often the chunk was released, so that an answer is known as that release's. From
    `quiet_from` on it is night for the players: it isn't called any more.
    """

    v: Literal[1] = 1
    app: str
    provider: str = DEFAULT_PROVIDER
    send: str
    page: int
    chunk: str
    generation: int
    release: int = 1
    priority: CallPriority
    idempotency_key: str
    players: list[str]
    body: dict[str, Any]
    expires_at: Moment
    released_at: Moment
    quiet_from: Moment | None = None

    @property
    def key(self) -> str:
        return f"{self.send}:{self.page}:{self.chunk}"
