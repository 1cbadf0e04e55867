"""Access to the ops API: a bearer token whose role suffices for the route.

A route declares the least role it needs by `@needs`; one that doesn't needs `read` for a GET and
`operate` for anything else. The token of the settings is an admin, also while MongoDB is away.

A token names its apps. A path with another app is refused before any query. A send, a person or a dead
letter of another app is answered as unknown.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

from fastapi import Request, Security
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.types import Scope

from sender_service.models.access import BOOTSTRAP, Principal, Role
from sender_service.store.tokens import Token, TokenStore
from shared.clock import Clock, Monotonic
from shared.errors import FieldError, Forbidden, InvalidPayload, Unauthorized
from shared.nearest import did_you_mean
from shared.secrets import Vault

KNOWN_SECONDS = 5.0  # of a cached token: after that, a removed one is refused
KNOWN_LIMIT = 1_000

NAMED_APP = "named_app"

Endpoint = TypeVar("Endpoint", bound=Callable[..., object])
_bearer = HTTPBearer(auto_error=False, description="a token of `/v1/tokens`, or the settings' own")


def needs(role: Role, *, audited: bool = False) -> Callable[[Endpoint], Endpoint]:
    """Mark an endpoint with the least role it needs. `audited`: a GET that returns personal data."""

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.least_role = role  # type: ignore[attr-defined]
        endpoint.audited = audited  # type: ignore[attr-defined]
        return endpoint

    return mark


def least_role(endpoint: object, method: str) -> Role:
    declared: Role | None = getattr(endpoint, "least_role", None)
    return declared or ("read" if method == "GET" else "operate")


class Tokens:
    """Finds tokens by their hash, and caches them for some seconds."""

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
        """Return the token's principal. Raises Unauthorized, StoreUnavailable."""
        if hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self._bootstrap):
            return Principal(BOOTSTRAP, BOOTSTRAP, "admin")
        token = await self._find(given)
        if token is None or token.expired(self._clock()):
            raise unauthorized()
        return token.principal

    def hash_of(self, given: str) -> str:
        """Return the keyed hash under which a token is stored."""
        return self._vault.hash_key(given.encode("utf-8", "replace").decode())

    async def _find(self, given: str) -> Token | None:
        hashed = self.hash_of(given)
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


def unauthorized() -> Unauthorized:
    return Unauthorized("a valid bearer token is required")


def check_access() -> Callable[..., Awaitable[None]]:
    """Return a dependency of every route under `/v1`. It checks role, app and query parameters.

    The principal is known by then (`token_first.py`); no body is read yet. The dependency raises
    Forbidden, InvalidPayload.
    """

    async def check(
        request: Request,
        _: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],  # for the document
    ) -> None:
        role = least_role(request.scope.get("endpoint"), request.method)
        if not current_principal(request).may(role):
            raise Forbidden(f"this needs a token with the role {role}", code="role_too_low")
        if "app" in request.path_params:
            require_app(request, request.path_params["app"])
        _check_query(request)

    return check


def current_principal(request: Request) -> Principal:
    """Return the caller, which is known before the route."""
    principal: Principal = request.scope["principal"]
    return principal


def require_app(request: Request, app: str) -> None:
    """Check that the caller's token is for the app, existing or not. Raises Forbidden."""
    if not sees_app(request, app):
        raise Forbidden("the token isn't for this app", code="app_not_allowed")


def sees_app(request: Request, app: str | None) -> bool:
    """Return whether the caller's token is for the app; the audit gets the app's name.

    Callers answer as if the document didn't exist where it isn't.
    """
    request.scope[NAMED_APP] = app
    return current_principal(request).holds(app)


def set_audit_target(request: Request, **target: str) -> None:
    """Name what the request is about, beside its path's parameters, or in place of them."""
    request.scope.setdefault("audit_target", {}).update(target)


def named_app(scope: Scope) -> str | None:
    """Return the app that a request concerned; None where none was found."""
    app: str | None = scope.get(NAMED_APP) or scope.get("path_params", {}).get("app")
    return app


def _check_query(request: Request) -> None:
    route = request.scope.get("route")
    taken = route.dependant.query_params if isinstance(route, APIRoute) else ()
    known = [field.alias for field in taken]
    for name in request.query_params:
        if name not in known:
            field, message = f"query.{name[:64]}", f"is unknown{did_you_mean(name, known)}"
            error = FieldError(field, "unknown_key", message)
            raise InvalidPayload(f"{field}: {message}", errors=[error])
