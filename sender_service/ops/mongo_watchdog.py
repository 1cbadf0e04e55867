"""A database that says nothing is not waited for: its silence is told within a second, as a 503."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.clock import monotonic
from shared.errors import StoreUnavailable
from shared.http.responses import error_response

LOOK_SECONDS = 0.25  # an answer that takes longer makes us ask; seen: 2 to 50 ms
SILENT_SECONDS = 0.45  # together below the second in which any answer is due; seen: 1 ms
LATE_SECONDS = 0.1  # by which our own loop may be held up before its clock says nothing of others
GRACE_SECONDS = 0.15  # then to hear what was answered meanwhile
PATIENCE_SECONDS = 5.0  # at most, with a request that got its answers so far: see below


class _Answer:
    """An answer is given once: by the application, or by us in its stead."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._taken_away = False
        self.begun = False

    async def send(self, message: Message) -> None:
        if not self._taken_away:
            self.begun = True
            await self._send(message)

    def take_away(self) -> bool:
        """False where it is too late."""
        self._taken_away = not self.begun
        return self._taken_away


class MongoWatchdog:
    """Middleware. A request may take its time (a long list, a preview) while MongoDB answers `ask`
    meanwhile; when it doesn't, what waits for it is given up, as if the connection were lost.

    A database that is busy with what we gave it isn't silent. So whoever has been answered for some
    seconds waits as many for the next answer: a part of a long list may take a second to be written.
    """

    def __init__(self, app: ASGIApp, *, ask: Callable[[], Awaitable[object]]) -> None:
        self._app = app
        self._ask = ask

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            return await self._app(scope, receive, send)
        answer, began = _Answer(send), monotonic()
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
        """Ask, and wait for as long as it answered so far, within limits."""
        patience = min(max(SILENT_SECONDS, answered), PATIENCE_SECONDS)
        asked = asyncio.ensure_future(self._ask())
        try:
            if not await _is_done(asked, patience):
                return True
            return isinstance(asked.exception(), StoreUnavailable)
        finally:
            asked.cancel()


async def _is_done(work: asyncio.Future[Any], seconds: float = LOOK_SECONDS) -> bool:
    """Wait so long, and a moment more where our own loop was held up: it heard nobody meanwhile."""
    began = monotonic()
    await asyncio.wait([work], timeout=seconds)
    if not work.done() and monotonic() - began > seconds + LATE_SECONDS:
        await asyncio.wait([work], timeout=GRACE_SECONDS)
    return work.done()
