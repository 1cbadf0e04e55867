"""The order in which the parts are started, kept alive and stopped."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local.broker_rotation import MIB, READERS, Exchange, Hold, Roller
from deploy.local.database_watch import watch_database
from deploy.local.errors import EXIT_FAILED, LaunchError
from deploy.local.log_backup import CarryOver
from deploy.local.process import Child, Spec
from deploy.local.screen import Screen
from deploy.local.settings import LocalSettings
from deploy.local.stop import Stop, StopAsked, all_of, unless
from deploy.local.supervisor import supervise
from shared.errors import LogUnavailable

SERVERS = ("broker", "database", "sandbox", "shop")  # started first, together
SERVICES = ("ingest", "projector", "sender")  # their log is restored before they start
DOORS = (("shop", "ingest"), ("projector", "sender"))  # stopped first, one wave after another
STORES = (("sandbox",), ("broker",), ("database",))  # after the log was carried over
LOG_IN_MEMORY = "log-in-memory"  # a file of the data folder, from a start to the end of its stop
LOGS_SECONDS = 2.0  # between two looks at how large the logs are
PATIENCE_SECONDS = 5.0  # between two lines about the same wait


@dataclass(frozen=True)
class Stack:
    """All that is to run; `carried` and `seed` are None where there is nothing to carry or to seed.

    `is_log_in_memory`: the broker is ours, so what isn't consumed is saved at a stop. What a run on
    such a broker has left goes to whichever broker the next one has.
    """

    parts: tuple[Spec, ...]
    data: Path
    carried: CarryOver | None
    seed: Callable[[], Awaitable[Iterable[str]]] | None
    where_to_look: str
    snapshot: Callable[[], Coroutine[Any, Any, bool]] | None = None  # once the log is carried over
    hold: Hold | None = None
    is_log_in_memory: bool = True

    @property
    def log(self) -> CarryOver | None:
        """What saves the log, where it is in a broker's memory."""
        return self.carried if self.is_log_in_memory else None


class Launcher:
    def __init__(self, stack: Stack, local: LocalSettings, screen: Screen, stop: Stop) -> None:
        self._stack = stack
        self._local = local
        self._screen = screen
        self._stop = stop
        self._children = {spec.name: Child(spec, stack.data / "logs") for spec in stack.parts}
        self._roller = self._create_roller()
        self._supervisors: list[asyncio.Task[None]] = []
        self._note = stack.data / LOG_IN_MEMORY
        self._log_is_ours = False  # from when the carry-over is in the log until the broker ends
        self._exit_code = 0

    def _create_roller(self) -> Roller | None:
        log, hold = self._stack.log, self._stack.hold
        if log is None or hold is None:
            return None
        exchange = Exchange(log, hold, self._take_snapshot)
        return Roller(self._children, exchange, self._local.broker_memory_mb, self._screen)

    async def run(self) -> int:
        """Until asked to stop, or a part can't be started; returns the exit code."""
        try:
            await unless(self._stop.asked, self._start())
            await self._stop.asked.wait()
        except StopAsked:
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
        if self._roller is not None:
            self._keep(asyncio.create_task(self._roller.watch(self._local.stop_seconds)))
        self._keep(asyncio.create_task(self._bound_logs()))
        if (database := self._children.get("database")) is not None:
            probe, grace = database.spec.probe, self._local.stop_seconds
            self._keep(asyncio.create_task(watch_database(database, probe, self._screen, grace)))
        self._screen.page(self._stack.where_to_look)

    async def _bound_logs(self) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(LOGS_SECONDS)
            for child in self._children.values():
                await child.bound_log(self._local.log_mb * MIB)

    async def _start_all(self, names: Iterable[str]) -> None:
        children = [self._children[name] for name in names if name in self._children]
        for child in children:
            self._screen.show(f"starting {child.name} on {child.spec.address}")
        patience = asyncio.create_task(self._tell_who_is_awaited(children))
        try:
            await all_of(self._start_one(child) for child in children)
        finally:
            patience.cancel()

    async def _start_one(self, child: Child) -> None:
        begin = time.monotonic()
        await child.start(self._local.start_seconds)
        self._screen.good(f"{child.name} is ready after {time.monotonic() - begin:.1f} s")
        task = asyncio.create_task(supervise(child, self._screen, self._on_return))
        self._keep(task)

    def _keep(self, task: asyncio.Task[None]) -> None:
        task.add_done_callback(self._on_supervisor_end)
        self._supervisors.append(task)

    async def _tell_who_is_awaited(self, children: list[Child]) -> None:
        while True:
            await asyncio.sleep(PATIENCE_SECONDS)
            for child in children:
                if child.awaited:
                    self._screen.show(f"still waiting for {child.name} ({child.awaited})")

    async def _restore_log(self) -> None:
        carried = self._stack.carried
        if carried is None:
            return
        try:
            count = await carried.restore()
        except LogUnavailable as exc:
            raise LaunchError(f"the carried-over log can't be published: {exc.message}") from exc
        if count:
            self._screen.show(f"carried over from the last run: {count:,} records")
        if carried.damaged:
            self._screen.warn(
                f"{carried.damaged:,} carried-over lines are damaged or of no topic of ours:"
                f" kept in {carried.aside}"
            )
        self._own_log()

    def _own_log(self) -> None:
        """Note that a log is in memory: whoever finds the note next knows that it was lost."""
        self._log_is_ours = self._stack.log is not None
        if self._note.exists():
            self._screen.warn(
                "the last run was killed, and its log was in its memory: what no stage had consumed"
                " yet (the events and triggers of its last moments) is lost"
            )
            self._note.unlink()
        if self._log_is_ours:
            with suppress(OSError):  # a full disk: only the word of it would be missing
                self._note.touch()

    async def _on_return(self, child: Child) -> None:
        """A new broker has an empty log: whoever reads it has to begin at its beginning."""
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
            self._stop.asked.set()

    async def _end(self) -> None:
        self._screen.show("stopping")
        if self._roller is not None:
            with suppress(StopAsked):  # a broker that is being exchanged is exchanged first
                await unless(self._stop.hastened, self._roller.busy.acquire())
        for task in self._supervisors:
            task.cancel()
        await asyncio.gather(*self._supervisors, return_exceptions=True)
        await self._stop_waves(DOORS)
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
        except (LogUnavailable, StopAsked) as exc:
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
        with suppress(StopAsked):
            if not await unless(self._stop.hastened, self._stack.snapshot()):
                self._screen.warn("no snapshot of the profiles: a replay of the next run has none")
