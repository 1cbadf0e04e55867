"""A launcher under test: its screen, its processes, its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import psutil

ROOT = Path(__file__).parents[3]
WAIT_SECONDS = 40.0
T = TypeVar("T")


def until(condition: Callable[[], T | None], what: str, seconds: float = WAIT_SECONDS) -> T:
    """Return the condition's first truthy answer; fail with `what` when there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := condition():
            return answer
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds:g} s: {what}")


class Running:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._seen: dict[int, psutil.Process] = {}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    @property
    def screen(self) -> str:
        return "\n".join(self.lines)

    def until_printed(self, text: str, times: int = 1) -> None:
        def is_printed() -> bool:
            self.children()
            return self.screen.count(text) >= times

        try:
            until(is_printed, f"the screen says {text!r}")
        except AssertionError as exc:
            raise AssertionError(f"{exc}\n{self.screen}") from None

    def children(self) -> dict[int, psutil.Process]:
        """Return every process seen as started by the launcher; all must be gone in the end."""
        if self.process.poll() is None:
            for child in psutil.Process(self.process.pid).children(recursive=True):
                self._seen.setdefault(child.pid, child)
        return self._seen

    def child(self, part: str) -> psutil.Process:
        """Return the running child with `part` in its command line."""
        for process in psutil.Process(self.process.pid).children(recursive=True):
            if any(part in argument for argument in process.cmdline()):
                return process
        raise AssertionError(f"no child with {part!r}")

    def left_behind(self) -> list[psutil.Process]:
        return [child for child in self._seen.values() if child.is_running()]

    def until_nothing_is_left(self) -> None:
        until(lambda: not self.left_behind(), "no process left behind", 5)

    def send(self, number: signal.Signals) -> None:
        self.children()
        self.process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.send(number)
        return self.exit_code()

    def exit_code(self) -> int:
        code = self.process.wait(WAIT_SECONDS)
        self._reader.join(5)
        return code


@contextmanager
def running(module: str, *arguments: str, env: dict[str, str] | None = None) -> Iterator[Running]:
    ours = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # what nohup ignores, children ignore too
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
    finally:
        signal.signal(signal.SIGHUP, ours)
    launcher = Running(process)
    try:
        yield launcher
    finally:
        launcher.children()
        process.kill()
        process.wait()
        assert process.stdout is not None
        launcher._reader.join(5)
        process.stdout.close()
        for child in launcher.left_behind():
            child.kill()
