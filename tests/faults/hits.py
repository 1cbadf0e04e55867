"""A fault that hit nothing proves nothing: each waits until it has hit, and says how often."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from tests.faults.plan import Fault
from tests.support.stack import eventually

# Other faults of the round may keep a process away, each for 4 s and the seconds of its start; when
# they are over, whatever is aimed at must be hit.
HIT_SECONDS = 45.0
AIM_SECONDS = 6.0  # before it is aimed again


async def until_hit(
    fault: Fault, aim: Callable[[], Awaitable[None]], hits: Callable[[], Awaitable[int]]
) -> int:
    """Aims again and again until there is a hit; how many there were. Raises AssertionError."""
    before, deadline = await hits(), time.monotonic() + HIT_SECONDS
    while time.monotonic() < deadline:
        await aim()
        with suppress(AssertionError):  # not yet: perhaps another fault is in the way
            await eventually(lambda: _more(hits, before), AIM_SECONDS, every=0.05)
            return await hits() - before
    raise AssertionError(f"{fault} hit nothing for {HIT_SECONDS:g} s")


async def _more(hits: Callable[[], Awaitable[int]], before: int) -> bool:
    return await hits() > before
