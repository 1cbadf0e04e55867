"""One child process behind one port: started, stopped, killed, frozen, and started again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.kafka.ports import HOST

START_SECONDS = 60.0  # a real Kafka beside other work; an end is noticed at once
STOP_SECONDS = 15.0
LOOK_SECONDS = 0.02


class Server:
    """Process that serves a port. `log`: where its output is kept, if anywhere; set before its start."""

    def __init__(
        self,
        command: Sequence[str],
        port: int,
        env: Mapping[str, str] | None = None,
        *,
        disposable: bool = False,
    ) -> None:
        self.port = port
        self._command = list(command)
        self._disposable = disposable
        self._env = {**os.environ, **(env or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self.log: Path | None = None

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return None if self._process is None else self._process.poll()

    def start(self, *, wait: bool = True) -> Self:
        """Returns when the port answers."""
        loud = bool(os.environ.get("CARILLON_TEST_LOGS"))  # on the terminal, to look for a fault
        quiet = None if loud else subprocess.DEVNULL
        self.log = None if loud else self.log
        with self.log.open("ab") if self.log else nullcontext(quiet) as output:
            self._process = subprocess.Popen(
                self._command,
                env=self._env,
                stdout=output if self.log else subprocess.DEVNULL,
                stderr=output,
            )
        if wait:
            self.wait_until_open()
        return self

    def wait_until_open(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self.is_open():
            if self.returncode is not None:
                raise AssertionError(f"{self._command[0]} ended with {self.returncode}")
            if time.monotonic() > deadline:
                self.kill()
                raise AssertionError(f"{self._command[0]} does not listen on {self.port}")
            time.sleep(LOOK_SECONDS)

    def is_open(self) -> bool:
        try:
            socket.create_connection((HOST, self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def terminate(self) -> None:
        """SIGTERM, without waiting for the end."""
        assert self._process is not None
        self._process.terminate()

    def stop(self) -> int:
        """Terminate the process; return its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """SIGKILL: a crash."""
        return self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """SIGSTOP: it is there, and answers nobody.

        The signal is only sent when `kill` returns; a thread on another core still answers for a moment.
        """
        os.kill(self.pid, signal.SIGSTOP)
        deadline = time.monotonic() + STOP_SECONDS
        while not self._is_stopped():
            assert time.monotonic() < deadline, f"{self._command[0]} does not stop"
            time.sleep(LOOK_SECONDS)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def _is_stopped(self) -> bool:
        tasks = Path(f"/proc/{self.pid}/task")
        if not tasks.exists():  # not Linux: as good as it gets
            return True
        return all(_state(task / "stat") in "TtZX" for task in tasks.iterdir())

    def _end(self, number: signal.Signals) -> int:
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.send_signal(number)
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._disposable:
            self.kill()  # nothing to be kept, so nothing to wait for
        else:
            self.stop()


def _state(stat: Path) -> str:
    """Return a thread's state as proc(5) has it: R, S, T ...; X when it has ended meanwhile."""
    try:
        return stat.read_text().rpartition(") ")[2][0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"
