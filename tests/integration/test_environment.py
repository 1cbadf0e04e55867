"""A misspelt or impossible setting: no program of ours starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PORTS = ("BROKER", "DATABASE", "SANDBOX", "SHOP")
# Whatever would start in spite of it meets no stack of somebody's.
FREE = {
    **{f"CARILLON_LOCAL__{name}_PORT": "0" for name in PORTS},
    **{f"CARILLON_{name}__PORT": "0" for name in ("INGEST", "SENDER", "SHOP")},
}
UNKNOWN = ("CARILLON_MONGO_URI", "mongodb://db")
BAD = ("CARILLON_INGEST__TRUSTED_PROXIES", "10.0.0.0/33")


@pytest.mark.parametrize(
    ("command", "given"),
    [
        ("ingest_service", UNKNOWN),
        ("ingest_service snapshot", BAD),
        ("sender_service send show x", UNKNOWN),
        ("sender_service trigger --app=demo --campaign=c --all", BAD),
        ("deploy.local", UNKNOWN),
        ("deploy.local", BAD),
        ("deploy.local.shop", UNKNOWN),
    ],
)
def test_n2_n14_no_program_starts(command: str, given: tuple[str, str], tmp_path: Path) -> None:
    """One sentence and an exit code: no traceback, nothing started."""
    name, value = given
    ended = subprocess.run(
        [sys.executable, "-m", *command.split()],
        env={**os.environ, **FREE, "CARILLON_DATA_DIR": str(tmp_path / "data"), name: value},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    message = (ended.stdout + ended.stderr).strip()
    assert ended.returncode in (1, 2) and name in message, message
    assert len(message.splitlines()) == 1 and not (tmp_path / "data").exists(), message
