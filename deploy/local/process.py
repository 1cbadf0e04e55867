"""Child process: started in its own session, probed until it is ready, stopped for certain."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from deploy.local.errors import ChildDied, LaunchError, NotReady
from deploy.local.log_files import bound_log, former, open_log, pump
from deploy.local.sentences import read_log_line

DIE_WITH_PARENT = Path(__file__).with_name("die_with_parent.py")
PROBE_PAUSE_SECONDS = 0.05
PROBE_SECONDS = 5.0  # one answer; a probe that takes longer is asked again
PUMP_SECONDS = 1.0
TAIL_LINES = 12
TAIL_BYTES = 8_192


@dataclass(frozen=True)
class Spec:
    """Specification of a child. `command` is read at each start; `probe` raises NotReady with the reason.

    `is_pumped`: its output comes through the launcher, since a write that fails would end it.
    """

    name: str
    command: Callable[[], Sequence[str]]
    probe: Callable[[], Awaitable[None]]
    address: str
    env: Mapping[str, str] = field(default_factory=dict)
    is_pumped: bool = False


class Child:
    """Process that can be started again. Its output goes to `<logs>/<name>.log`."""

    def __init__(self, spec: Spec, logs: Path) -> None:
        self.spec = spec
        self.name = spec.name
        self.log = logs / f"{spec.name}.log"
        self.recycled = False  # stopped by us in order to start again
        self.may_run = asyncio.Event()  # its supervisor waits for this before starting it
        self.may_run.set()
        self.ready = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._pump: asyncio.Task[None] | None = None
        self._log_begin = 0
        self._started = 0.0
        self.awaited = ""  # while it starts: why its last probe failed

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def resident_bytes(self) -> int:
        """Return how much of its memory is in RAM; 0 while it doesn't run."""
        if self._process is None or self._process.returncode is not None:
            return 0
        with suppress(psutil.Error):
            return int(psutil.Process(self._process.pid).memory_info().rss)
        return 0

    @property
    def lived_seconds(self) -> float:
        return time.monotonic() - self._started

    def keep_old_log(self) -> None:
        """Move the log of the run before beside the new one, in place of an older one."""
        with suppress(FileNotFoundError):
            self.log.rename(former(self.log))

    async def bound_log(self, most: int) -> None:
        """Keep the log, and what was cut off it last, below so many bytes each."""
        if await asyncio.to_thread(bound_log, self.log, most):
            self._log_begin = 0

    async def start(self, timeout: float | None) -> None:
        """Start it; return when it is ready. Raises ChildDied, or LaunchError after `timeout` seconds."""
        self.ready.clear()
        await self._spawn()
        ready = asyncio.create_task(self._until_ready())
        died = asyncio.create_task(self.exited())
        try:
            done, _ = await asyncio.wait(
                {ready, died}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            ready.cancel()
            died.cancel()
            await asyncio.gather(ready, died, return_exceptions=True)
        if died in done:
            raise ChildDied(
                f"{self.name} died while starting ({self.how_it_ended()}){self._tail()}"
            )
        if not done:
            raise LaunchError(
                f"{self.name} was not ready within {timeout:.0f} s ({self.awaited}){self._tail()}"
            )
        await ready  # a probe that failed otherwise than by NotReady is a fault of ours
        self.ready.set()

    async def exited(self) -> int:
        assert self._process is not None
        code = await self._process.wait()
        if self._pump is not None:  # its last words
            await asyncio.wait({self._pump}, timeout=PUMP_SECONDS)
        return code

    def how_it_ended(self) -> str:
        code = self._process.returncode if self._process is not None else None
        if code is not None and code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return f"exit code {code}"

    async def recycle(self, grace: float) -> None:
        """End it, so that its supervisor starts it again at once."""
        if self.running:
            self.recycled = True
            await self.stop(grace, asyncio.Event())

    async def pause(self, grace: float) -> None:
        """End it; it is not started again before `resume`."""
        self.may_run.clear()
        self.ready.clear()
        await self.recycle(grace)

    def resume(self) -> None:
        self.may_run.set()

    async def stop(self, grace: float, hastened: asyncio.Event) -> bool:
        """Send SIGTERM, then SIGKILL after `grace` or when hastened. Return False where it took SIGKILL."""
        process = self._process  # ours to end; by the time we are through there may be another
        if process is None:
            return True
        with suppress(ProcessLookupError):
            process.terminate()
        exited = asyncio.create_task(process.wait())
        haste = asyncio.create_task(hastened.wait())
        await asyncio.wait({exited, haste}, timeout=grace, return_when=asyncio.FIRST_COMPLETED)
        haste.cancel()
        in_time = exited.done()
        # The whole group, so that what the child itself started goes too.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        await exited
        return in_time

    async def _spawn(self) -> None:
        self._started = time.monotonic()
        wrapper = (sys.executable, "-I", "-S", str(DIE_WITH_PARENT), str(os.getpid()))
        with open_log(self.log) as output:
            self._log_begin = output.tell()
            target = subprocess.PIPE if self.spec.is_pumped else output
            self._process = await asyncio.create_subprocess_exec(
                *wrapper,
                *self.spec.command(),
                stdin=subprocess.DEVNULL,
                stdout=target,
                stderr=subprocess.STDOUT,
                env=dict(self.spec.env),
                start_new_session=True,  # a Ctrl-C in the terminal reaches the launcher only
            )
        if self._process.stdout is not None:
            self._pump = asyncio.create_task(pump(self._process.stdout, self.log))

    async def _until_ready(self) -> None:
        self.awaited = "no answer"
        while True:
            try:
                async with asyncio.timeout(PROBE_SECONDS):
                    await self.spec.probe()
                self.awaited = ""
                return
            except NotReady as exc:
                self.awaited = str(exc)
            except TimeoutError:
                self.awaited = f"no answer within {PROBE_SECONDS:.0f} s"
            await asyncio.sleep(PROBE_PAUSE_SECONDS)

    def _tail(self) -> str:
        """Return the end of its output since its last start, as the rest of a sentence."""
        with suppress(OSError), self.log.open("rb") as written:
            end = written.seek(0, os.SEEK_END)
            begin = written.seek(max(self._log_begin, end - TAIL_BYTES))
            lines = written.read().decode(errors="replace").splitlines()
            lines = lines[begin > self._log_begin and len(lines) > 1 :][-TAIL_LINES:]
            if lines:
                return f"; the end of {self.log}:\n" + "\n".join(
                    f"    {read_log_line(line)}" for line in lines
                )
        return f"; it wrote nothing to {self.log}"
