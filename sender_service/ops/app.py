"""The ops API as one application."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Depends, FastAPI

from sender_service.ops.auth import bearer
from shared.health import Health
from shared.http import PrivatePaths, add_error_handlers, add_ops_routes
from shared.settings import SenderSettings


def create_app(
    settings: SenderSettings, token: str, health: Health, routers: Sequence[APIRouter]
) -> FastAPI:
    """Everything under `/v1` needs the bearer token; health is open, metrics are private."""
    app = FastAPI(title="Carillon sender", version="1", description="Campaigns, sends, reports.")
    add_error_handlers(app)
    add_ops_routes(app, health)
    for router in routers:
        app.include_router(router, dependencies=[Depends(bearer(token))])
    app.add_middleware(
        PrivatePaths, trusted_proxies=settings.trusted_proxies, opened=settings.open_metrics
    )
    return app
