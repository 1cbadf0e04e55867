"""The ops API as one application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from fastapi import APIRouter, Depends, FastAPI

from sender_service.ops.audit import AuditTrail
from sender_service.ops.auth import Tokens, gate
from sender_service.ops.bodies import trigger_schemas
from sender_service.ops.examples import PROBLEMS
from sender_service.ops.silence import SilenceWatch
from sender_service.store.audit import AuditStore
from shared.clock import Clock
from shared.docs_page import add_docs_page
from shared.health import Health
from shared.http import PrivatePaths, add_error_handlers, add_ops_routes
from shared.http_headers import DefaultHeaders
from shared.settings import SenderSettings

DESCRIPTION = """Campaigns, sends, reports, people.

Every route under `/v1` needs `Authorization: Bearer <token>`, with the role `read`, `operate` or
`admin`. Errors have one shape: `{"code", "message", "errors": [{"field", "code", "message"}]}`."""


def create_app(
    settings: SenderSettings,
    tokens: Tokens,
    audit: tuple[AuditStore, Clock],
    health: Health,
    ask: Callable[[], Awaitable[object]],
    routers: Sequence[APIRouter],
) -> FastAPI:
    """Everything under `/v1` needs a token and is audited, and hears of a database that
    `ask` finds silent; health is open, metrics are private."""
    app = FastAPI(
        title="Carillon sender",
        version="1",
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # they would lead to whatever host the request names
    )
    add_error_handlers(app)
    add_ops_routes(app, health)
    add_docs_page(app)
    guard = gate(tokens)
    for router in routers:
        app.include_router(router, dependencies=[Depends(guard)], responses=PROBLEMS)
    store, clock = audit
    app.openapi = partial(_document, app, app.openapi)  # type: ignore[method-assign]
    app.add_middleware(AuditTrail, store=store, clock=clock)
    app.add_middleware(SilenceWatch, ask=ask)
    app.add_middleware(
        PrivatePaths, trusted_proxies=settings.trusted_proxies, opened=settings.open_metrics
    )
    app.add_middleware(DefaultHeaders)
    return app


def _document(app: FastAPI, of_fastapi: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """FastAPI's own, and what bodies are that are read as they come."""
    if app.openapi_schema is None:
        of_fastapi()["components"]["schemas"].update(trigger_schemas())
    return of_fastapi()
