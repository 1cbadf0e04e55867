"""Watchdog of the database: a request gets a 503 within a second while MongoDB doesn't answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.clock import monotonic
from shared.errors import StoreUnavailable
from shared.http.responses import error_response

SLOW_REQUEST_SECONDS = 0.25  # a request that takes longer starts a ping; measured: 2 to 50 ms
SILENT_SECONDS = 0.45  # of a ping; the sum is below the second for any answer; measured: 1 ms
LATE_SECONDS = 0.1  # if our event loop is blocked longer, the ping's time proves nothing
GRACE_SECONDS = 0.15  # then, to read answers that came meanwhile
MAX_SILENT_SECONDS = 5.0  # of a ping for a request that runs long: see below


class _Response:
    """Response that is sent once: by the application, or by the watchdog."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._taken_away = False
        self.begun = False

    async def send(self, message: Message) -> None:
        if not self._taken_away:
            self.begun = True
            await self._send(message)

    def take_away(self) -> bool:
        """Stop the application's response; return False where it began already."""
        self._taken_away = not self.begun
        return self._taken_away


class MongoWatchdog:
    """Middleware that cancels requests while MongoDB doesn't answer `ask`.

    A request may take long (a list, a preview) while MongoDB answers.
    """

    # A database that is busy with our own writes isn't silent: a part of a long list may take a second.
    # So the ping of a request waits for as long as the request runs already, within limits.

    def __init__(self, app: ASGIApp, *, ask: Callable[[], Awaitable[object]]) -> None:
        self._app = app
        self._ask = ask

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            return await self._app(scope, receive, send)
        answer, began = _Response(send), monotonic()
        work = asyncio.ensure_future(self._app(scope, receive, answer.send))
        try:
            while not await _is_done(work):
                if (
                    not answer.begun
                    and await self._is_silent(monotonic() - began)
                    and answer.take_away()
                ):
                    refusal = error_response(StoreUnavailable("MongoDB doesn't answer now"))
                    return await refusal(scope, receive, send)
        finally:
            work.cancel()
        return work.result()

    async def _is_silent(self, answered: float) -> bool:
        """Ping for `answered` seconds, within limits; return whether MongoDB failed to answer."""
        timeout = min(max(SILENT_SECONDS, answered), MAX_SILENT_SECONDS)
        asked = asyncio.ensure_future(self._ask())
        try:
            if not await _is_done(asked, timeout):
                return True
            return isinstance(asked.exception(), StoreUnavailable)
        finally:
            asked.cancel()


async def _is_done(work: asyncio.Future[Any], seconds: float = SLOW_REQUEST_SECONDS) -> bool:
    """Wait, longer where our event loop was blocked; return whether the work is done."""
    began = monotonic()
    await asyncio.wait([work], timeout=seconds)
    if not work.done() and monotonic() - began > seconds + LATE_SECONDS:
        await asyncio.wait([work], timeout=GRACE_SECONDS)
    return work.done()
