"""Audit trail: an entry for each request that may change something, stored before its answer."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sender_service.models.access import Principal
from sender_service.ops.auth import named_app
from sender_service.store.audit import AuditEntry, AuditStore
from shared.clock import Clock
from shared.errors import Unavailable

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
    method = scope["method"]
    quiet = method in ("GET", "HEAD")
    if who is None or (quiet and not getattr(scope.get("endpoint"), "audited", False)):
        return None
    target = {**scope.get("path_params", {}), **scope.get("audit_target", {})}
    route = str(getattr(scope.get("route"), "path", scope["path"]))
    named = {name: str(value)[:128] for name, value in target.items()}
    return AuditEntry(who, method, route, named, status, at, named_app(scope))
