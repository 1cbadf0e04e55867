"""Unknown apps: their check, and answers that name only apps of the caller's token."""

from __future__ import annotations

from fastapi import FastAPI, Request
from starlette.responses import Response

from sender_service.models.unknown_app import UnknownApp
from sender_service.ops.auth import current_principal
from shared.apps import AppRegistry
from shared.http.responses import error_response


def add_known_apps(app: FastAPI, registry: AppRegistry) -> None:
    """Make `unknown_app` errors name the nearest app, or list the apps of the caller's token."""

    async def on_unknown_app(request: Request, exc: Exception) -> Response:
        assert isinstance(exc, UnknownApp)
        holds = current_principal(request).holds
        return error_response(exc.among([one.id for one in registry.apps if holds(one.id)]))

    app.add_exception_handler(UnknownApp, on_unknown_app)


async def require_known_app(registry: AppRegistry, app: str) -> None:
    """Check that the app exists. Raises UnknownApp."""
    if registry.get(app) is None:
        await registry.refresh()
    if registry.get(app) is None:
        raise UnknownApp(app)
