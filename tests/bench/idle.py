"""CPU of each process of `make run` while nobody asks anything of it, in percent of one core."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import suppress
from pathlib import Path

import psutil

from tests.bench.measuring import cpu_seconds, report
from tests.support.carillon import Carillon

WARM_UP_SECONDS = 15.0  # caches fill, groups share out their partitions
SECONDS = 60.0


async def main() -> None:
    with tempfile.TemporaryDirectory(prefix="carillon-idle-") as folder:
        carillon = await Carillon(Path(folder) / "data").start()
        try:
            await asyncio.sleep(WARM_UP_SECONDS)
            await _measure(carillon)
        finally:
            await carillon.stop()


async def _measure(carillon: Carillon) -> None:
    processes = carillon.processes()
    before = {process.pid: cpu_seconds(process) for process in processes}
    await asyncio.sleep(SECONDS)
    total = 0.0
    for process in processes:
        share = (cpu_seconds(process) - before[process.pid]) / SECONDS
        total += share
        report(f"{_name(process):<28} {share:7.2%}")
    report(f"{'all':<28} {total:7.2%}")


def _name(process: psutil.Process) -> str:
    """Return the module that Python runs, else the program."""
    command: list[str] = []
    with suppress(psutil.Error):
        command = process.cmdline()
    if "-m" in command:
        return command[command.index("-m") + 1]
    return Path(command[0]).name if command else "?"
