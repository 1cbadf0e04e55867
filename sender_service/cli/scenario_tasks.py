"""Tasks, as commands wait for them."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from sender_service.cli.answers import Answer
from sender_service.cli.ops import OpsClient
from sender_service.ops.responses.tasks import TaskResponse

LOOK_AGAIN_SECONDS = 1.0
LOOKS_UNTAKEN = 15  # a sender that isn't busy takes a task in 2 s
WAITS = "waits for a sender with the role scenarios: is one running, or busy with another app's?"
T = TypeVar("T", bound=TaskResponse)


async def wait_for_task(ops: OpsClient, model: type[T], path: str) -> Answer[T]:
    """Return the task once it is over; say so where none takes it."""
    looks = 0
    while True:
        found, looks = await ops.call(model, "GET", path), looks + 1
        if found.body.state in ("done", "failed"):
            return found
        if looks == LOOKS_UNTAKEN and found.body.state == "waiting":
            ops.note(WAITS)
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
