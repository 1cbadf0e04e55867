"""Response to requests that are cancelled because the process stops."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.types import ASGIApp, Receive, Scope, Send

from shared.errors import Unavailable
from shared.http.responses import error_response


def answer_cancelled_requests(app: ASGIApp) -> ASGIApp:
    """Return the app, which answers 503 to a request that is cancelled before its response began.

    The server's own answer would be 500: "don't try again", to many clients.
    """

    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except asyncio.CancelledError:
            response = error_response(Unavailable("the service is stopping", code="stopping"))
            with suppress(RuntimeError):  # of the server, where a response began: it ends there
                return await response(scope, receive, send)
            raise

    return handle
