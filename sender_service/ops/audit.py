"""Route of the audit entries."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from sender_service.ops.auth import current_principal, needs
from sender_service.ops.context import OpsContext
from sender_service.ops.examples import AUDIT_ENTRY, answers
from sender_service.ops.responses.access import AuditEntryResponse, AuditPrincipalResponse
from sender_service.ops.responses.base import Items
from sender_service.store.audit import AuditEntry
from shared.clock import CLOCK_SKEW
from shared.models.wire import WrittenMoment


def audit_router(context: OpsContext) -> APIRouter:
    router = APIRouter(prefix="/v1/audit", tags=["access"])

    @router.get("", responses=answers({"items": [AUDIT_ENTRY]}))
    @needs("admin")
    async def trail(
        request: Request,
        since: Annotated[WrittenMoment | None, Query()] = None,
        before: Annotated[WrittenMoment | None, Query()] = None,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    ) -> Items[AuditEntryResponse]:
        """List requests that concerned the token's apps, the newest first. The last one's `at` as `before`
        continues the list."""
        until = before or context.clock() + CLOCK_SKEW
        found = await context.stores.audit.newest(
            since, until, limit, current_principal(request).apps
        )
        return Items(items=[_to_response(entry) for entry in found])

    return router


def _to_response(entry: AuditEntry) -> AuditEntryResponse:
    who = AuditPrincipalResponse(id=entry.who.id, name=entry.who.name, role=entry.who.role)
    return AuditEntryResponse(
        id=entry.id,
        at=entry.at,
        app=entry.app,
        method=entry.method,
        route=entry.route,
        target=entry.target,
        status=entry.status,
        who=who,
    )
