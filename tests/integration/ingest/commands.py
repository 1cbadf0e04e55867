"""Commands of the ingest service, run as processes."""

from __future__ import annotations

import asyncio
import os
import sys

from shared.settings import Settings
from tests.support import stack


async def run_command(settings: Settings, *arguments: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ingest_service", *arguments, env=environment_of(settings),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


def environment_of(settings: Settings) -> dict[str, str]:
    return {**os.environ, **stack.environment(settings)}
