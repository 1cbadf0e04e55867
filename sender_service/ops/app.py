"""The ops API as one application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from fastapi import APIRouter, Depends, FastAPI

from sender_service.ops.audit_trail import AuditTrail
from sender_service.ops.auth import Tokens, check_access
from sender_service.ops.bodies import BoundedBodies
from sender_service.ops.document import add_bodies
from sender_service.ops.examples import PROBLEMS
from sender_service.ops.guesses import Guesses
from sender_service.ops.mongo_watchdog import MongoWatchdog
from sender_service.ops.token_first import TokenFirst
from sender_service.store.audit import AuditStore
from shared.clock import Clock
from shared.health import Health
from shared.http.default_headers import DefaultHeaders
from shared.http.docs_page import add_docs_page
from shared.http.responses import PrivatePaths, add_error_handlers, add_ops_routes
from shared.settings import SenderSettings

DESCRIPTION = """Campaigns, sends, reports, people.

Every route under `/v1` needs `Authorization: Bearer <token>`, with the role `read`, `operate` or
`admin`, and for the app that it is about. Unknown keys and query parameters are refused. Errors have
one shape: `{"code", "message", "errors": [{"field", "code", "message"}]}`."""


def create_app(
    settings: SenderSettings,
    tokens: tuple[Tokens, Guesses],
    audit: tuple[AuditStore, Clock],
    health: Health,
    ask: Callable[[], Awaitable[object]],
    routers: Sequence[APIRouter],
) -> FastAPI:
    """Return the ops API. Paths under `/v1` need a token and are audited.

    They answer 503 when the database doesn't answer `ask`. Health is open, metrics are private.
    """
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
    for router in routers:
        app.include_router(router, dependencies=[Depends(check_access())], responses=PROBLEMS)
    store, clock = audit
    app.openapi = partial(_document, app, app.openapi, routers)  # type: ignore[method-assign]
    known, guesses = tokens
    trusted = settings.trusted_proxies
    app.add_middleware(BoundedBodies)
    app.add_middleware(AuditTrail, store=store, clock=clock)
    app.add_middleware(TokenFirst, tokens=known, guesses=guesses, trusted_proxies=trusted)
    app.add_middleware(MongoWatchdog, ask=ask)
    app.add_middleware(PrivatePaths, trusted_proxies=trusted, opened=settings.public_metrics)
    app.add_middleware(DefaultHeaders)
    return app


def _document(
    app: FastAPI, of_fastapi: Callable[[], dict[str, Any]], routers: Sequence[APIRouter]
) -> dict[str, Any]:
    """Return FastAPI's document, with the bodies that routes read themselves added."""
    if app.openapi_schema is None:
        add_bodies(routers, of_fastapi())
    return of_fastapi()
