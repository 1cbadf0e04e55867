"""Launcher of the stack: the order in which parts are started, kept alive and stopped."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local.broker_rotation import (
    MIB,
    READERS,
    BrokerRotation,
    PublishingPause,
    RotationParts,
)
from deploy.local.database_watch import watch_database
from deploy.local.errors import EXIT_FAILED, LaunchError
from deploy.local.log_backup import LogBackup
from deploy.local.process import Child, Spec
from deploy.local.screen import Screen
from deploy.local.settings import LocalSettings
from deploy.local.stop import Stop, StopRequested, all_of, unless
from deploy.local.supervisor import supervise
from shared.errors import LogUnavailable

SERVERS = ("broker", "database", "sandbox", "shop")  # started first, together
SERVICES = ("ingest", "projector", "sender")  # their log is restored before they start
ENTRANCES = (("shop", "ingest"), ("projector", "sender"))  # stopped first, one wave after another
STORES = (("sandbox",), ("broker",), ("database",))  # after the log was saved
LOG_IN_MEMORY = "log-in-memory"  # a file of the data folder, from a start to the end of its stop
LOG_CHECK_SECONDS = 2.0  # between two checks of the logs' size
WAIT_LINE_SECONDS = 5.0  # between two lines about the same wait


@dataclass(frozen=True)
class Stack:
    """Parts to run. `backup` and `seed` are None where there is nothing to carry over or to seed.

    `is_log_in_memory`: the broker is ours, so what isn't consumed is saved at a stop. The records that a
    run on such a broker has left go to the next run's broker, whichever it is.
    """

    parts: tuple[Spec, ...]
    data: Path
    backup: LogBackup | None
    seed: Callable[[], Awaitable[Iterable[str]]] | None
    summary: str
    snapshot: Callable[[], Coroutine[Any, Any, bool]] | None = None  # once the log is saved
    pause: PublishingPause | None = None
    is_log_in_memory: bool = True

    @property
    def log(self) -> LogBackup | None:
        """Return the backup of a log that is in a broker's memory; None where it is on disk."""
        return self.backup if self.is_log_in_memory else None


class Launcher:
    def __init__(self, stack: Stack, local: LocalSettings, screen: Screen, stop: Stop) -> None:
        self._stack = stack
        self._local = local
        self._screen = screen
        self._stop = stop
        self._children = {spec.name: Child(spec, stack.data / "logs") for spec in stack.parts}
        self._rotation = self._create_rotation()
        self._supervisors: list[asyncio.Task[None]] = []
        self._note = stack.data / LOG_IN_MEMORY
        self._log_is_ours = False  # from when the carry-over is in the log until the broker ends
        self._exit_code = 0

    def _create_rotation(self) -> BrokerRotation | None:
        log, pause = self._stack.log, self._stack.pause
        if log is None or pause is None:
            return None
        parts = RotationParts(log, pause, self._take_snapshot)
        return BrokerRotation(self._children, parts, self._local.broker_memory_mb, self._screen)

    async def run(self) -> int:
        """Run until stopped, or until a part can't be started; return the exit code."""
        try:
            await unless(self._stop.requested, self._start())
            await self._stop.requested.wait()
        except StopRequested:
            pass
        except LaunchError as exc:
            self._exit_code = exc.exit_code
            self._screen.fail(str(exc))
        finally:
            await self._end()
        return self._exit_code

    async def _start(self) -> None:
        for child in self._children.values():
            child.keep_old_log()
        await self._start_all(SERVERS)
        await self._restore_log()
        await self._start_all(SERVICES)
        if self._stack.seed is not None:
            for line in await self._stack.seed():
                self._screen.show(line)
        if self._rotation is not None:
            self._keep(asyncio.create_task(self._rotation.watch(self._local.stop_seconds)))
        self._keep(asyncio.create_task(self._bound_logs()))
        if (database := self._children.get("database")) is not None:
            probe, grace = database.spec.probe, self._local.stop_seconds
            self._keep(asyncio.create_task(watch_database(database, probe, self._screen, grace)))
        self._screen.page(self._stack.summary)

    async def _bound_logs(self) -> None:
        """Bound the children's logs, for ever."""
        while True:
            await asyncio.sleep(LOG_CHECK_SECONDS)
            for child in self._children.values():
                await child.bound_log(self._local.log_mb * MIB)

    async def _start_all(self, names: Iterable[str]) -> None:
        children = [self._children[name] for name in names if name in self._children]
        for child in children:
            self._screen.show(f"starting {child.name} on {child.spec.address}")
        progress = asyncio.create_task(self._show_awaited(children))
        try:
            await all_of(self._start_one(child) for child in children)
        finally:
            progress.cancel()

    async def _start_one(self, child: Child) -> None:
        begin = time.monotonic()
        await child.start(self._local.start_seconds)
        self._screen.good(f"{child.name} is ready after {time.monotonic() - begin:.1f} s")
        task = asyncio.create_task(supervise(child, self._screen, self._on_return))
        self._keep(task)

    def _keep(self, task: asyncio.Task[None]) -> None:
        task.add_done_callback(self._on_supervisor_end)
        self._supervisors.append(task)

    async def _show_awaited(self, children: list[Child]) -> None:
        while True:
            await asyncio.sleep(WAIT_LINE_SECONDS)
            for child in children:
                if child.awaited:
                    self._screen.show(f"still waiting for {child.name} ({child.awaited})")

    async def _restore_log(self) -> None:
        backup = self._stack.backup
        if backup is None:
            return
        try:
            count = await backup.restore()
        except LogUnavailable as exc:
            raise LaunchError(f"the carried-over log can't be published: {exc.message}") from exc
        if count:
            self._screen.show(f"carried over from the last run: {count:,} records")
        if backup.damaged:
            self._screen.warn(
                f"{backup.damaged:,} carried-over lines are damaged or of no topic of ours:"
                f" kept in {backup.damaged_file}"
            )
        self._own_log()

    def _own_log(self) -> None:
        """Note that a log is in memory."""
        # A launcher that finds the note later knows that the log was lost.
        self._log_is_ours = self._stack.log is not None
        if self._note.exists():
            self._screen.warn(
                "the last run was killed, and its log was in its memory: what no stage had consumed"
                " yet (the events and triggers of its last moments) is lost"
            )
            self._note.unlink()
        if self._log_is_ours:
            with suppress(OSError):  # a full disk: only the warning would be missing
                self._note.touch()

    async def _on_return(self, child: Child) -> None:
        """Restart the broker's readers after it died."""
        # A new broker has an empty log: its readers have to begin at its beginning.
        if child.name != "broker" or self._stack.log is None:
            return
        self._screen.warn(
            "the broker's log was in its memory: what was not consumed yet is lost;"
            " restarting what reads it"
        )
        readers = [self._children[name] for name in READERS if name in self._children]
        await asyncio.gather(*(reader.recycle(self._local.stop_seconds) for reader in readers))

    def _on_supervisor_end(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self._screen.fail(f"the launcher itself failed: {task.exception()!r}")
            self._exit_code = EXIT_FAILED
            self._stop.requested.set()

    async def _end(self) -> None:
        self._screen.show("stopping")
        if self._rotation is not None:
            with suppress(StopRequested):  # a rotation under way ends first
                await unless(self._stop.hastened, self._rotation.busy.acquire())
        for task in self._supervisors:
            task.cancel()
        await asyncio.gather(*self._supervisors, return_exceptions=True)
        await self._stop_waves(ENTRANCES)
        await self._save_log()
        await self._stop_waves(STORES)
        self._screen.show("stopped")

    async def _stop_waves(self, waves: Iterable[Iterable[str]]) -> None:
        for names in waves:
            children = [self._children[name] for name in names if name in self._children]
            await asyncio.gather(*(self._stop_one(child) for child in children))

    async def _stop_one(self, child: Child) -> None:
        was_running = child.running
        in_time = await child.stop(self._local.stop_seconds, self._stop.hastened)
        if not in_time:
            self._screen.warn(f"{child.name} did not stop in time: killed")
        elif was_running:
            self._screen.show(f"{child.name} has stopped")

    async def _save_log(self) -> None:
        broker = self._children.get("broker")
        if self._stack.log is None or broker is None or not self._log_is_ours:
            return
        try:
            if not broker.running:
                raise LogUnavailable("the broker is not running")
            count = await unless(self._stop.hastened, self._stack.log.save())
        except (LogUnavailable, StopRequested) as exc:
            why = exc.message if isinstance(exc, LogUnavailable) else "there was no time"
            self._screen.fail(f"what was not consumed yet is lost: {why}")
            self._exit_code = EXIT_FAILED
        else:
            if count:
                self._screen.show(f"kept for the next run: {count:,} records not consumed yet")
            await self._take_snapshot()
        self._note.unlink(missing_ok=True)

    async def _take_snapshot(self) -> None:
        database = self._children.get("database")
        if self._stack.snapshot is None or (database is not None and not database.running):
            return
        with suppress(StopRequested):
            if not await unless(self._stop.hastened, self._stack.snapshot()):
                self._screen.warn("no snapshot of the profiles: a replay of the next run has none")
