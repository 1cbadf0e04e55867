"""Response models of tokens and of the audit trail: who may use the ops API, and who did."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sender_service.models.access import Role
from sender_service.ops.responses.base import Moment, ResponseModel


class TokenResponse(ResponseModel):
    """A token without itself."""

    id: str
    name: str
    role: Role
    apps: Literal["all"] | list[str]
    created_at: Moment
    created_by: str
    expires_at: Moment | None
    last_used_at: Annotated[Moment | None, Field(description="exact to the hour")]


class NewTokenResponse(TokenResponse):
    """A token that was made. `token` is in this answer only."""

    token: str


class AuditPrincipalResponse(ResponseModel):
    id: str
    name: str
    role: Role


class AuditEntryResponse(ResponseModel):
    """A request that changed something, or showed personal data."""

    id: str
    at: Moment
    app: Annotated[str | None, Field(description="null where it was about none, or several")]
    method: str
    route: Annotated[str, Field(description="the template; `target` has what stands in it")]
    target: dict[str, str]
    status: int
    who: AuditPrincipalResponse
