"""`/v1/tokens`: bearer tokens of the ops API. A token is in one answer only: when it is made."""

from __future__ import annotations

import secrets
import uuid
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from pydantic import ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from sender_service.models.access import Apps, Principal, Role
from sender_service.models.trigger import Name
from sender_service.models.unknown_app import UnknownApp
from sender_service.ops.auth import NAMED_APP, current_principal, needs, set_audit_target
from sender_service.ops.bodies import json_body
from sender_service.ops.context import OpsContext
from sender_service.ops.examples import NEW_TOKEN, TOKEN, TOKEN_ID, answers
from sender_service.ops.responses.access import NewTokenResponse, TokenResponse
from sender_service.ops.responses.base import Items, RemovedResponse
from sender_service.ops.unknown_app import require_known_app
from sender_service.store.tokens import ALL, Token
from shared.apps import AppRegistry
from shared.errors import Forbidden, InvalidPayload, NotFound
from shared.models.sentences import one_of_kinds
from shared.models.wire import Wire, WrittenMoment

TOKEN_PREFIX = "cot_"  # "Carillon ops token", for secret scanners
TOKEN_RANDOM_BYTES = 32
MAX_TOKEN_APPS = 100
TokenId = Annotated[str, Path(description="the token's id", max_length=64)]


class TokenRequest(Wire):
    """Body of `POST /v1/tokens`."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        json_schema_extra={
            "examples": [{"name": "campaign job", "role": "operate", "apps": ["demo"]}]
        },
    )

    name: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    role: Role
    apps: Annotated[
        Literal["all"] | Annotated[list[Name], Field(min_length=1, max_length=MAX_TOKEN_APPS)],
        one_of_kinds(f'must be "all", or a list of 1 to {MAX_TOKEN_APPS} apps, as ["demo"]'),
    ]
    expires_at: WrittenMoment | None = None


def tokens_router(context: OpsContext) -> APIRouter:
    store = context.stores.tokens
    router = APIRouter(prefix="/v1/tokens", tags=["access"])

    @router.get("", responses=answers({"items": [TOKEN]}))
    @needs("admin")
    async def list_tokens(request: Request) -> Items[TokenResponse]:
        """List tokens for the caller's apps only, without their secrets; `lastUsedAt` is exact to the
        hour."""
        known = await store.all()
        own = [token for token in known if current_principal(request).holds_all_of(token.apps)]
        return Items(items=[TokenResponse(**_fields(token)) for token in own])

    @router.post("", status_code=201, responses=answers(NEW_TOKEN, 201))
    @needs("admin")
    async def create_token(
        request: Request, body: Annotated[TokenRequest, json_body(TokenRequest)]
    ) -> NewTokenResponse:
        """Create a token. `token` is in this answer only. Its role and apps can't exceed the
        caller's."""
        now = context.clock()
        requested = None if body.apps == ALL else frozenset(body.apps)
        _check_reach(current_principal(request), body.role, requested)
        await _check_apps(context.apps, body.apps)
        if body.expires_at is not None and body.expires_at <= now:
            raise InvalidPayload("expiresAt: is in the past", code="already_expired")
        secret = TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_RANDOM_BYTES)
        by = current_principal(request).id
        token = Token(
            str(uuid.uuid4()), body.name, body.role, now, by, body.expires_at, apps=requested
        )
        await store.add(token, context.vault.hash_key(secret))
        set_audit_target(request, token=token.id)
        request.scope[NAMED_APP] = only_app(requested)
        return NewTokenResponse(**_fields(token), token=secret)

    @router.delete("/{token}", responses=answers({"id": TOKEN_ID, "removed": True}))
    @needs("admin")
    async def remove_token(request: Request, token: TokenId) -> RemovedResponse:
        """Remove a token. Other replicas refuse it within 5 s."""
        found = await store.get(token)
        if found is None or not current_principal(request).holds_all_of(found.apps):
            raise NotFound("no such token", code="unknown_token")
        request.scope[NAMED_APP] = only_app(found.apps)
        await store.remove(token)
        return RemovedResponse(id=token, removed=True)

    return router


def _fields(token: Token) -> dict[str, Any]:
    """Return the answer's fields."""
    return {
        "id": token.id,
        "name": token.name,
        "role": token.role,
        "apps": ALL if token.apps is None else sorted(token.apps),
        "created_at": token.created_at,
        "created_by": token.created_by,
        "expires_at": token.expires_at,
        "last_used_at": token.last_used_at,
    }


def _check_reach(by: Principal, role: Role, apps: Apps) -> None:
    """Check that role and apps don't exceed the caller's. Raises Forbidden."""
    if not by.may(role):
        raise Forbidden("role: is above the caller's own", code="role_too_low")
    if not by.holds_all_of(apps):
        raise Forbidden("apps: are more than the caller's own", code="app_not_allowed")


async def _check_apps(registry: AppRegistry, apps: str | list[str]) -> None:
    """Check that the apps exist: a misspelt one would make a useless token. Raises UnknownApp."""
    for index, app in enumerate([] if apps == ALL else apps):
        try:
            await require_known_app(registry, app)
        except UnknownApp as exc:
            raise UnknownApp(app, f"body.apps.{index}") from exc


def only_app(apps: Apps) -> str | None:
    """Return the one app of a token, for the audit; None for several apps and for all."""
    return next(iter(apps)) if apps is not None and len(apps) == 1 else None
