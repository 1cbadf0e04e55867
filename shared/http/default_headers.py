"""Headers that every answer of a service has, but for the hot route's."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# A route's own headers stay. Answers hold personal data, and a cache has no token.
DEFAULTS = {b"cache-control": b"no-store", b"x-content-type-options": b"nosniff"}


class DefaultHeaders:
    """Middleware that keeps answers out of caches, and browsers from guessing what they are."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)

        async def send_with_defaults(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                names = {name.lower() for name, _ in headers}
                headers += [pair for pair in DEFAULTS.items() if pair[0] not in names]
                message = {**message, "headers": headers}
            await send(message)

        return await self._app(scope, receive, send_with_defaults)
