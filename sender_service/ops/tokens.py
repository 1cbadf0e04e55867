"""`/v1/tokens`: bearer tokens of the ops API. Each is shown once, when it is made."""

from __future__ import annotations

import secrets
import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from pydantic import ConfigDict, StringConstraints
from pydantic.alias_generators import to_camel

from sender_service.models.access import Role
from sender_service.ops.audit import plain
from sender_service.ops.auth import caller, needs
from sender_service.ops.examples import TOKEN, answers
from sender_service.store.tokens import Token, TokenStore, shown
from shared.clock import Clock
from shared.errors import InvalidPayload, NotFound
from shared.models.wire import Moment, Wire
from shared.secrets import Vault

PREFIX = "cot_"  # "Carillon ops token": what a secret scanner may look for
RANDOM_BYTES = 32
TokenId = Annotated[str, Path(description="the token's id", max_length=64)]


class TokenIn(Wire):
    """What `POST` takes."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        json_schema_extra={"examples": [{"name": "campaign job", "role": "operate"}]},
    )

    name: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    role: Role
    expires_at: Moment | None = None


def tokens_router(store: TokenStore, vault: Vault, clock: Clock) -> APIRouter:
    router = APIRouter(prefix="/v1/tokens", tags=["access"])

    @router.get("")
    @needs("admin")
    async def list_tokens() -> dict[str, Any]:
        """All tokens, without themselves; `lastUsedAt` is right to the hour."""
        return {"items": [plain(shown(token)) for token in await store.all()]}

    @router.post("", status_code=201, responses=answers(TOKEN, 201))
    @needs("admin")
    async def create_token(request: Request, body: TokenIn) -> dict[str, Any]:
        """A new token. This answer is the only place where it is ever seen."""
        now = clock()
        if body.expires_at is not None and body.expires_at <= now:
            raise InvalidPayload("expiresAt: is in the past", code="already_expired")
        secret = PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
        by = caller(request).id
        token = Token(str(uuid.uuid4()), body.name, body.role, now, by, body.expires_at)
        await store.add(token, vault.hash_key(secret))
        request.scope["audit_target"] = {"token": token.id}
        return {**plain(shown(token)), "token": secret}

    @router.delete("/{token}")
    @needs("admin")
    async def remove_token(token: TokenId) -> dict[str, Any]:
        """It is refused from now on, by other replicas within 5 s."""
        if not await store.remove(token):
            raise NotFound("no such token", code="unknown_token")
        return {"id": token, "removed": True}

    return router
