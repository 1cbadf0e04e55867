"""Check of the token before a request's body is read."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from sender_service.models.access import Principal
from sender_service.ops.auth import Tokens, unauthorized
from sender_service.ops.guesses import Guesses, TooManyGuesses
from shared import metrics
from shared.errors import CarillonError, Unauthorized
from shared.http.responses import client_address, error_response, rate_limit_key

log = logging.getLogger("carillon.ops")


class TokenFirst:
    """Middleware: paths under `/v1` need a token; it is checked before a body is read."""

    def __init__(
        self, app: ASGIApp, *, tokens: Tokens, guesses: Guesses, trusted_proxies: Sequence[str]
    ) -> None:
        self._app = app
        self._tokens = tokens
        self._guesses = guesses
        self._trusted = [ipaddress.ip_network(net, strict=False) for net in trusted_proxies]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and is_guarded(scope["path"]):
            try:
                scope["principal"] = await self._principal(scope)
            except CarillonError as exc:
                return await error_response(exc)(scope, receive, send)
        return await self._app(scope, receive, send)

    async def _principal(self, scope: Scope) -> Principal:
        """Return the caller. Raises Unauthorized, TooManyGuesses, StoreUnavailable."""
        given = bearer_of(Headers(scope=scope).get("authorization", ""))
        if given is None:
            raise unauthorized()
        address = client_address(scope, self._trusted)
        caller = (rate_limit_key(address) or address, self._tokens.hash_of(given))
        try:
            with self._guesses.attempt(caller):
                return await self._tokens.principal(given)
        except Unauthorized:
            self._guesses.forget(caller)
            metrics.TOKENS_REFUSED.labels("wrong").inc()
            # An address is personal: its keyed hash still distinguishes one from many.
            log.warning("token refused", extra={"from": self._tokens.hash_of(caller[0])[:12]})
            raise
        except TooManyGuesses:
            metrics.TOKENS_REFUSED.labels("limited").inc()
            raise


def is_guarded(path: str) -> bool:
    return path == "/v1" or path.startswith("/v1/")


def bearer_of(header: str) -> str | None:
    """Return the token of an `Authorization` header; None where it holds none."""
    scheme, _, given = header.partition(" ")
    return given.strip() or None if scheme.lower() == "bearer" else None
