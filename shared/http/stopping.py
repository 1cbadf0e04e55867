"""Response to requests that are cancelled because the process stops."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.types import ASGIApp, Receive, Scope, Send

from shared.errors import Unavailable
from shared.http.responses import error_response


class CancelledRequests:
    """Middleware that answers 503 to a request that is cancelled before its response began.

    The server's own answer would be 500: "don't try again", to many clients.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except asyncio.CancelledError:
            response = error_response(Unavailable("the service is stopping", code="stopping"))
            response.headers["Connection"] = "close"  # or a pipelined request would begin
            with suppress(RuntimeError):  # of the server, where a response began: it ends there
                return await response(scope, receive, send)
            raise
