"""Zones under the names that browsers report can be read, or the sender doesn't start."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime

from shared.models.quiet_hours import QuietHours, check_time_zones

WITHOUT = (
    "import sys; sys.modules['tzdata'] = None\n"
    "from shared.models.quiet_hours import check_time_zones\n"
    "check_time_zones()\n"
)


def test_f5_quiet_hours_apply_in_zones_of_old_names() -> None:
    hours = QuietHours.model_validate({"from": "22:00", "to": "08:00"})
    until = hours.until(datetime(2027, 1, 5, 20, tzinfo=UTC), "Asia/Calcutta")
    assert until == datetime(2027, 1, 6, 2, 30, tzinfo=UTC)


def test_f5_zones_can_be_read_without_the_systems() -> None:
    done = _run("from shared.models.quiet_hours import check_time_zones as c; c()")
    assert done.returncode == 0, done.stderr
    check_time_zones()


def test_f5_a_sender_without_zones_names_what_to_install() -> None:
    done = _run(WITHOUT)
    assert done.returncode != 0
    assert "install the Python package tzdata" in done.stderr


def _run(code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process that has no zones of the system's."""
    environment = {**os.environ, "PYTHONTZPATH": ""}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )


def test_f5_sender_checks_zones_at_start() -> None:
    """Check before settings are read, the port taken, or any server asked."""
    done = _run(
        "import asyncio, sys; sys.modules['tzdata'] = None\n"
        "from sender_service.main import run\n"
        "asyncio.run(run(None, asyncio.Event()))\n"
    )
    assert done.returncode != 0
    assert "install the Python package tzdata" in done.stderr
