"""A service started by hand says what it does, and what else the program can do."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest


@pytest.mark.parametrize(("service", "command"), [("ingest", "import"), ("sender", "trigger")])
def test_n23_a_terminal_lists_what_starts(service: str, command: str) -> None:
    # Ended by its default secret right after: nothing is started here.
    ours, theirs = pty.openpty()
    bare = {name: value for name, value in os.environ.items() if not name.startswith("CARILLON_")}
    try:
        ended = subprocess.run(
            [sys.executable, "-m", f"{service}_service"],
            env=bare,
            stderr=theirs,
            stdout=subprocess.DEVNULL,
            timeout=60,
            check=False,
        )
        screen = os.read(ours, 10_000).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert ended.returncode == 2
    assert f"{service}: starting the service" in screen
    assert command in screen and f"python -m {service}_service --help" in screen
