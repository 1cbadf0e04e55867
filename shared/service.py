"""Process of a service: its signals, HTTP server and loops, and the order in which they end."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import uvicorn
import uvloop
from starlette.types import ASGIApp

from shared.environment import load_settings
from shared.errors import CarillonError, Rejected, Unavailable
from shared.health import Component
from shared.http.bounds import BoundedProtocol, watch_connections
from shared.http.open_files import raise_file_limit
from shared.http.quota import ConnectionQuota
from shared.http.stopping import CancelledRequests
from shared.logs import configure_logs
from shared.loops import run_periodically, sleep_or_stop
from shared.settings import HttpSettings, Settings

log = logging.getLogger("carillon.service")

EXIT_SETTINGS = 2
EXIT_CRASHED = 1
OWNER_ONLY = 0o077  # the umask: the data folder holds personal data
TICK_SECONDS = 1.0
CANCELLED_SECONDS = 1.0  # for responses to requests that the end of the drain cancelled
PROBE_SECONDS = 1.0
PROBE_TIMEOUT_SECONDS = 3.0


def run_service(
    name: str,
    main: Callable[[Settings, asyncio.Event], Coroutine[Any, Any, None]],
    *,
    serves_ops: bool = False,
) -> int:
    """Run a service; return the exit code. Bad settings are one clear sentence on stderr."""
    os.umask(OWNER_ONLY)
    try:
        settings = load_settings()
    except Rejected as exc:
        for sentence in exc.message.splitlines():
            sys.stderr.write(f"{name}: {sentence}\n")
        return EXIT_SETTINGS
    configure_logs(name, settings.log_level)
    try:
        settings.check_secrets(serves_ops=serves_ops)
        uvloop.run(_with_signals(settings, main))
    except Exception as exc:
        refusal = _find_refusal(exc)
        if refusal is not None:
            sys.stderr.write(f"{name}: {refusal.message}\n")
            return EXIT_SETTINGS
        # A traceback's text may hold personal data: the log has only its places.
        log.critical("crashed", exc_info=exc)
        return EXIT_CRASHED
    return 0


def log_startup(name: str, commands: Iterable[str]) -> None:
    """Write to a terminal that the service starts, and which commands the program has.

    A log collector gets JSON lines only.
    """
    if sys.stderr.isatty():
        sys.stderr.write(
            f"{name}: starting the service, until Ctrl-C; commands: {', '.join(commands)}"
            f" (python -m {name}_service --help)\n"
        )


def _find_refusal(error: BaseException) -> Rejected | None:
    """Return why the process must not run; None where something crashed."""
    # Loops raise in groups.
    if isinstance(error, BaseExceptionGroup):
        found = [_find_refusal(inner) for inner in error.exceptions]
        return found[0] if all(found) else None
    return error if isinstance(error, Rejected) else None


async def _with_signals(
    settings: Settings, main: Callable[[Settings, asyncio.Event], Coroutine[Any, Any, None]]
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await main(settings, stop)


def bind(http: HttpSettings, name: str) -> socket.socket:
    """Return the service's listening socket. Raises Rejected, in one sentence, when the port is taken."""
    try:
        return socket.create_server((http.host, http.port), backlog=1024, reuse_port=False)
    except OSError as exc:
        raise Rejected(
            f"port {http.port} on {http.host} can't be listened on ({exc.strerror});"
            f" stop what uses it or set CARILLON_{name.upper()}__PORT",
            code="port_busy",
        ) from exc


class _Server(uvicorn.Server):
    """Uvicorn without its own signal handling: the process has one stop event."""

    def __init__(self, config: uvicorn.Config, stop: asyncio.Event) -> None:
        super().__init__(config)
        self._stop = stop

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        """Renew the date in headers each second."""
        # Uvicorn's own loop checks ten times a second whether to end.
        await run_periodically(partial(self.on_tick, 0), TICK_SECONDS, self._stop)


async def serve(
    app: ASGIApp, listener: socket.socket, stop: asyncio.Event, http: HttpSettings
) -> None:
    """Serve until `stop`; requests under way get `drain_seconds` to end."""

    class Protocol(BoundedProtocol):
        most = raise_file_limit(http.max_connections)
        shares = ConnectionQuota(most, http.trusted_proxies)

    config = uvicorn.Config(
        CancelledRequests(app),
        loop="none",
        http=Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # uvicorn would believe any loopback address; `trusted_proxies` decides
        timeout_graceful_shutdown=int(http.drain_seconds),
        timeout_keep_alive=http.keep_alive_seconds,
    )
    server = _Server(config, stop)
    watching = asyncio.create_task(watch_connections(server.server_state.connections, stop))
    try:
        await server.serve(sockets=[listener])
        if cancelled := server.server_state.tasks:
            await asyncio.wait(cancelled, timeout=CANCELLED_SECONDS)
    finally:
        watching.cancel()
        listener.close()
    if not stop.is_set():
        raise RuntimeError("the HTTP server ended by itself")


async def probe(
    component: Component, check: Callable[[], Awaitable[object]], stop: asyncio.Event
) -> None:
    """Check a dependency every second, until `stop`."""

    async def step() -> None:
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_SECONDS):
                await check()
        except CarillonError as exc:
            component.wait_for(exc)
        except TimeoutError:
            component.fail("timeout")
        else:
            component.beat()

    await run_periodically(step, PROBE_SECONDS, stop)


async def retry_until_available(
    work: Callable[[], Coroutine[Any, Any, Any]], stop: asyncio.Event, component: Component
) -> Any:
    """Try `work` until what it needs is there; None when stopped before."""
    while not stop.is_set():
        try:
            return await work()
        except Unavailable as exc:
            component.wait_for(exc)
            await sleep_or_stop(stop, 0.5)
    return None
