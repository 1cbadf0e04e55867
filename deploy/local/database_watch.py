"""Watch of an embedded database: one that answers, but stores nothing any more, is started again.

After a full disk its storage has panicked: it answers every query with an error, with space again too.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from deploy.local.errors import NotReady, NotWriting
from deploy.local.process import Child
from deploy.local.screen import Screen

CHECK_SECONDS = 2.0
ANSWER_SECONDS = 5.0
UNWELL_SECONDS = 10.0  # of errors in every answer before it is started again
AGAIN_SECONDS = 30.0  # between two such starts: a disk may stay full


async def watch_database(
    child: Child, probe: Callable[[], Awaitable[None]], screen: Screen, grace: float
) -> None:
    """Restart the database whenever it stores nothing for long, for ever."""
    # Silence is no reason: a busy database is silent, too.
    unwell_since: float | None = None
    restarted = -AGAIN_SECONDS
    while True:
        await asyncio.sleep(CHECK_SECONDS)
        failure = await _failure(probe) if child.running else None
        now = time.monotonic()
        if failure is None:
            unwell_since = None
            continue
        unwell_since = unwell_since or now
        if now - unwell_since >= UNWELL_SECONDS and now - restarted >= AGAIN_SECONDS:
            screen.warn(f"the database stores nothing ({failure}): starting it again")
            await child.recycle(grace)
            unwell_since, restarted = None, time.monotonic()


async def _failure(probe: Callable[[], Awaitable[None]]) -> str | None:
    """Return what it answered instead of storing; None where it stores, or doesn't answer."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await probe()
    except NotWriting as exc:
        return str(exc)
    except (NotReady, TimeoutError):
        return None
    return None
