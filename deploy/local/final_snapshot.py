"""The projections as they are when the embedded log ends: what a replay on the next one begins with."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from contextlib import suppress

PATIENCE_SECONDS = 20.0  # seen: 20,000 profiles in 4 s


async def take_final_snapshot(env: Mapping[str, str]) -> bool:
    """Whether it was taken; the stop goes on without."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ingest_service", "snapshot", "--final",
        env=dict(env), start_new_session=True,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await process.wait() == 0
    except TimeoutError:
        return False
    finally:
        with suppress(ProcessLookupError):
            process.kill()
