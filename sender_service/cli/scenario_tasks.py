"""Tasks, as commands wait for them."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from sender_service.cli.answers import Answer
from sender_service.cli.ops import OpsClient
from sender_service.ops.responses.tasks import TaskResponse

LOOK_AGAIN_SECONDS = 1.0
T = TypeVar("T", bound=TaskResponse)


async def wait_for_task(ops: OpsClient, model: type[T], path: str) -> Answer[T]:
    """Return the task once it is over."""
    while True:
        found = await ops.call(model, "GET", path)
        if found.body.state in ("done", "failed"):
            return found
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
