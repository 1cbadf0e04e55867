"""Audit trail: an entry for each request that may change something, stored before its answer."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sender_service.models.access import Principal
from sender_service.ops.auth import current_principal, named_app, needs
from sender_service.ops.context import OpsContext
from sender_service.ops.examples import AUDIT_ENTRY, answers
from sender_service.ops.responses.access import AuditEntryResponse, AuditPrincipalResponse
from sender_service.ops.responses.base import Items
from sender_service.store.audit import AuditEntry, AuditStore
from shared.clock import CLOCK_SKEW, Clock
from shared.errors import Unavailable
from shared.models.wire import WrittenMoment

log = logging.getLogger("carillon.audit")

GIVEN_UP = (
    "given_up"  # cancelled by the watchdog of the database (mongo_watchdog.py), or at the end
)


class AuditTrail:
    """Middleware that stores audit entries, none for requests without a valid token.

    While MongoDB is away the log gets the entry.
    """

    def __init__(self, app: ASGIApp, *, store: AuditStore, clock: Clock) -> None:
        self._app = app
        self._store = store
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)

        noted = False

        async def note(message: Message) -> None:
            nonlocal noted
            if message["type"] == "http.response.start":
                noted = True
                await self._write(_audit_entry(scope, message["status"], self._clock()))
            await send(message)

        try:
            return await self._app(scope, receive, note)
        except asyncio.CancelledError:  # whatever cancelled it has answered
            if not noted:
                _log(_audit_entry(scope, 503, self._clock()), GIVEN_UP)
            raise
        except Exception:  # a mistake of ours, answered further out
            if not noted:
                await self._write(_audit_entry(scope, 500, self._clock()))
            raise

    async def _write(self, entry: AuditEntry | None) -> None:
        if entry is None:
            return
        try:
            await self._store.add(entry)
        except Unavailable as exc:
            _log(entry, exc.code)
        except asyncio.CancelledError:
            _log(entry, GIVEN_UP)
            raise


def _log(entry: AuditEntry | None, code: str) -> None:
    if entry is not None:
        log.error(
            "audit entry not stored",
            extra={"code": code, "who": entry.who.id, "method": entry.method,
                   "route": entry.route, "target": entry.target, "status": entry.status},
        )  # fmt: skip


def _audit_entry(scope: Scope, status: int, at: datetime) -> AuditEntry | None:
    """Return the request's entry; None without a principal, and for reads of nothing personal."""
    who: Principal | None = scope.get("principal")
    quiet = scope["method"] in ("GET", "HEAD")
    if who is None or (quiet and not getattr(scope.get("endpoint"), "audited", False)):
        return None
    target = {**scope.get("path_params", {}), **scope.get("audit_target", {})}
    route = str(getattr(scope.get("route"), "path", scope["path"]))
    named = {name: str(value)[:128] for name, value in target.items()}
    return AuditEntry(who, scope["method"], route, named, status, at, named_app(scope))


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
