"""A command starts without the service: its libraries take longer to import than a command runs."""

from __future__ import annotations

import subprocess
import sys

LIBRARIES = ("fastapi", "starlette", "uvicorn", "aiokafka", "pymongo", "motor", "aiohttp")


def test_commands_start_without_the_service() -> None:
    program = (
        "import sys, sender_service.__main__ as entry; entry.build_parser();"
        f"print(*(name for name in {LIBRARIES!r} if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout.split()) == (0, []), done.stderr
