"""Commands of the sender, run beside a whole stack as a person runs them."""

from __future__ import annotations

import asyncio
import subprocess
import sys

from tests.support.carillon import Carillon


async def run_command(carillon: Carillon, *arguments: str) -> tuple[int, str, str]:
    """Run a command of the sender; return its exit code, output and errors."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sender_service", *arguments,
        env=carillon.cli_env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()
