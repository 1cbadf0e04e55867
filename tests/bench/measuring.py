"""Tools of the benchmarks: CPU of a process, and a line as soon as it is known."""

from __future__ import annotations

import sys

import psutil


def cpu_seconds(process: psutil.Process) -> float:
    """User and system, of all its threads."""
    times = process.cpu_times()
    return float(times.user + times.system)


def report(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
