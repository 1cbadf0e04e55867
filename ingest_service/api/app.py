"""The ingest API as one ASGI application."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ingest_service.api.access import AccessControl
from ingest_service.api.check import Check
from ingest_service.api.endpoint import Endpoint
from ingest_service.api.event_docs import event_schemas
from ingest_service.api.events import Events
from ingest_service.api.openapi import PATHS
from ingest_service.api.profile import Profile, VisitorViews
from ingest_service.api.rate_limits import RateLimits
from ingest_service.api.streams import EventStreams
from ingest_service.api.webhooks import OneSignalWebhooks
from ingest_service.collect.collector import Collector
from ingest_service.snippet.endpoint import snippet_routes
from shared.apps import AppRegistry
from shared.clock import Clock
from shared.health import Health
from shared.http.default_headers import DefaultHeaders
from shared.http.docs_page import add_docs_page
from shared.http.responses import PrivatePaths, add_error_handlers, add_ops_routes
from shared.settings import HttpSettings

API_TITLE = "Carillon ingest"
API_VERSION = "1"
EVENTS = "/v1/events"


@dataclass(frozen=True)
class ApiDependencies:
    """Dependencies of the API."""

    apps: AppRegistry
    collector: Collector
    views: VisitorViews
    clock: Clock
    limits: RateLimits


def create_app(http: HttpSettings, health: Health, parts: ApiDependencies | None) -> ASGIApp:
    """Build the ASGI application; without `parts` it serves health and metrics only."""
    # Without redirects: they would lead to whatever host the request names.
    app = FastAPI(
        title=API_TITLE, version=API_VERSION, docs_url=None, redoc_url=None, redirect_slashes=False
    )
    add_error_handlers(app)
    add_ops_routes(app, health)
    add_docs_page(app)
    guarded = DefaultHeaders(
        PrivatePaths(app, trusted_proxies=http.trusted_proxies, opened=http.public_metrics)
    )
    if parts is None:
        return guarded
    access = AccessControl(parts.apps, parts.limits)
    app.router.routes[:0] = _public_routes(parts, access)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return HotPathRouter(guarded, {EVENTS: Endpoint(Events(access, parts.collector))})


class HotPathRouter:
    """Routes hot paths past the framework, whose middleware and routing cost as much as they do."""

    def __init__(self, rest: ASGIApp, endpoints: Mapping[str, ASGIApp]) -> None:
        self._rest = rest
        self._endpoints = endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._endpoints.get(scope["path"], self._rest)(scope, receive, send)


def _public_routes(parts: ApiDependencies, access: AccessControl) -> list[Route]:
    webhooks = OneSignalWebhooks(access, parts.collector, parts.clock)
    streams = EventStreams(access, parts.collector, parts.clock)
    return [
        Route("/v1/webhooks/onesignal/{webhook_key}", Endpoint(webhooks)),
        Route("/v1/webhooks/onesignal/{webhook_key}/stream", Endpoint(streams)),
        Route("/v1/check", Endpoint(Check(access, parts.collector))),
        Route("/v1/profile", Endpoint(Profile(access, parts.views))),
        *snippet_routes(parts.apps),
    ]


def _openapi(app: FastAPI) -> dict[str, Any]:
    """Return FastAPI's schema, with the routes that are plain ASGI."""
    if app.openapi_schema is None:
        schema = get_openapi(title=API_TITLE, version=API_VERSION, routes=app.routes)
        shapes = {**schema.get("components", {}).get("schemas", {}), **event_schemas()}
        paths = {**PATHS, **schema["paths"]}
        app.openapi_schema = {**schema, "paths": paths, "components": {"schemas": shapes}}
    return app.openapi_schema
