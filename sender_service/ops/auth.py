"""Who may call the ops API: whoever has a bearer token whose role suffices for the route.

A route declares the least role it needs by `@needs`; one that doesn't needs `read` for a GET and
`operate` for anything else. The token of the settings is an admin, also while MongoDB is away.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

from fastapi import Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from sender_service.models.access import BOOTSTRAP, Principal, Role
from sender_service.store.tokens import Token, TokenStore
from shared.clock import Clock, Monotonic
from shared.errors import Forbidden, Unauthorized
from shared.secrets import Vault

KNOWN_SECONDS = 5.0  # how long a token is believed without asking again: then a removed one ends
KNOWN_LIMIT = 1_000

Endpoint = TypeVar("Endpoint", bound=Callable[..., object])
_bearer = HTTPBearer(auto_error=False, description="a token of `/v1/tokens`, or the settings' own")


def needs(role: Role, *, audited: bool = False) -> Callable[[Endpoint], Endpoint]:
    """Mark an endpoint with the least role it needs. `audited`: a GET that shows what is personal."""

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.least_role = role  # type: ignore[attr-defined]
        endpoint.audited = audited  # type: ignore[attr-defined]
        return endpoint

    return mark


def least_role(endpoint: object, method: str) -> Role:
    declared: Role | None = getattr(endpoint, "least_role", None)
    return declared or ("read" if method == "GET" else "operate")


class Tokens:
    """Knows tokens by their hash, for a few seconds without asking."""

    def __init__(
        self, *, bootstrap: str, store: TokenStore, vault: Vault, clock: Clock, monotonic: Monotonic
    ) -> None:
        self._bootstrap = bootstrap.encode()
        self._store = store
        self._vault = vault
        self._clock = clock
        self._monotonic = monotonic
        self._known: dict[str, tuple[Token, float]] = {}

    async def principal(self, given: str) -> Principal:
        """Raises Unauthorized, StoreUnavailable."""
        if hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self._bootstrap):
            return Principal(BOOTSTRAP, BOOTSTRAP, "admin")
        token = await self._find(given)
        if token is None or token.expired(self._clock()):
            raise _unauthorized()
        return token.principal

    async def _find(self, given: str) -> Token | None:
        hashed = self._vault.hash_key(given.encode("utf-8", "replace").decode())
        known = self._known.get(hashed)
        if known is not None and self._monotonic() - known[1] < KNOWN_SECONDS:
            return known[0]
        self._known.pop(hashed, None)
        token = await self._store.by_hash(hashed)
        if token is not None:
            if len(self._known) >= KNOWN_LIMIT:
                self._known.clear()
            self._known[hashed] = (token, self._monotonic())
            await self._store.used(token, self._clock())
        return token


def _unauthorized() -> Unauthorized:
    return Unauthorized("a valid bearer token is required")


def gate(tokens: Tokens) -> Callable[..., Awaitable[None]]:
    """A dependency of every route under `/v1`. Raises Unauthorized, Forbidden."""

    async def check(
        request: Request,
        given: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    ) -> None:
        if given is None:
            raise _unauthorized()
        principal = await tokens.principal(given.credentials)
        request.scope["principal"] = principal  # for the audit trail
        role = least_role(request.scope.get("endpoint"), request.method)
        if not principal.may(role):
            raise Forbidden(f"this needs a token with the role {role}", code="role_too_low")

    return check


def caller(request: Request) -> Principal:
    """Who calls: known once the gate let the request through."""
    principal: Principal = request.scope["principal"]
    return principal
