"""Routes of the sandbox, wired."""

import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from deploy.local.sandbox import calls, control, pages, registration, sdk, users
from deploy.local.sandbox.access import Access, Guarded
from deploy.local.sandbox.answers import (
    json_response,
    on_client_gone,
    on_http_error,
    on_invalid,
    on_refusal,
    on_store_error,
)
from deploy.local.sandbox.errors import Refusal
from deploy.local.sandbox.faults import Faults
from deploy.local.sandbox.sandbox import Clock, SandboxSettings, open_sandbox

LOOPBACK_ORIGIN = r"https?://(([^/@]+\.)?localhost|127(\.\d+){3}|\[::1\])(:\d+)?"
Endpoint = Callable[[Request], Awaitable[Response]]

API: list[tuple[str, str, Endpoint]] = [
    ("POST", "/notifications", calls.create_notification),
    ("GET", "/notifications", calls.list_notifications),
    ("GET", "/notifications/{id}", calls.view_notification),
    ("DELETE", "/notifications/{id}", calls.cancel_notification),
    ("PUT", "/notifications/{id}", pages.report_opened),
    ("PUT", "/notifications/{id}/report_received", pages.report_received),
    ("GET", "/apps/{app_id}", calls.view_app),
    ("POST", "/players", registration.create_player),
    ("GET", "/players/{id}", registration.view_player),
    ("PUT", "/players/{id}", registration.update_player),
    ("POST", "/apps/{app_id}/users", users.create_user),
    ("GET", "/apps/{app_id}/users/by/{label}/{alias}", users.view_user),
    ("PATCH", "/apps/{app_id}/users/by/{label}/{alias}", users.update_user),
    ("PATCH", "/apps/{app_id}/users/by/{label}/{alias}/identity", users.update_identity),
    ("POST", "/apps/{app_id}/users/by/{label}/{alias}/subscriptions", users.add_subscription),
    ("GET", "/apps/{app_id}/subscriptions/{id}", registration.view_subscription),
    ("PATCH", "/apps/{app_id}/subscriptions/{id}", registration.update_subscription),
]
CONTROL: list[tuple[str, str, Endpoint]] = [
    ("GET", "/sandbox/apps/{app_id}", control.get_app),
    ("PUT", "/sandbox/apps/{app_id}", control.put_app),
    ("POST", "/sandbox/browsers", control.register_browsers),
    ("GET", "/sandbox/browsers", control.list_browsers),
    ("GET", "/sandbox/browsers/{id}/pushes", pages.poll_pushes),
    ("POST", "/sandbox/browsers/{id}/acts", pages.report_act),
    ("GET", "/sandbox/faults", control.get_faults),
    ("PUT", "/sandbox/faults", control.put_faults),
    ("GET", "/sandbox/tally", control.get_tally),
    ("POST", "/sandbox/reset", control.reset),
]


async def health(_: Request) -> Response:
    return json_response({"status": "ok"})


def create_app(
    settings: SandboxSettings, *, faults: Faults | None = None, clock: Clock = time.time
) -> Starlette:
    misbehaviour = faults or Faults()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with open_sandbox(settings, misbehaviour, clock) as sandbox:
            app.state.sandbox = sandbox
            yield

    named = [*API, *((method, f"/api/v1{path}", go) for method, path, go in API), *CONTROL]
    named += sdk.FILES
    routes = [Route(path, go, methods=[method]) for method, path, go in named]
    return Starlette(
        routes=[*routes, Route("/health", health)],
        middleware=[Middleware(Guarded, access=settings.access), _cross_origin(settings.access)],
        exception_handlers={
            Refusal: on_refusal,
            ClientDisconnect: on_client_gone,
            ValidationError: on_invalid,
            HTTPException: on_http_error,
            sqlite3.Error: on_store_error,
        },
        lifespan=lifespan,
    )


def _cross_origin(access: Access) -> Middleware:
    """Return the CORS middleware for browser SDKs on the shop's pages."""
    # The access check before it has refused all other origins.
    return Middleware(
        CORSMiddleware,
        allow_origins=access.origins,
        allow_origin_regex=LOOPBACK_ORIGIN,
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=["Idempotent-Replayed", "Retry-After"],
    )
