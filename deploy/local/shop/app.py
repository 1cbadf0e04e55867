"""Server of the shop: pages, their configuration, and the button that requests a push from Carillon."""

from __future__ import annotations

import hmac
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deploy.local.demo import CAMPAIGNS
from deploy.local.shop import sdk, setup
from deploy.local.shop.catalogue import PRODUCTS
from deploy.local.shop.pages import HERE, NOT_FOUND, ROUTES, missing
from deploy.local.shop.settings import ShopSettings

BODY_BYTES = 4_096


def create_app(settings: ShopSettings, ops_token: str) -> Starlette:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with httpx.AsyncClient(trust_env=False) as client:
            app.state.client = client
            yield

    app = Starlette(
        routes=[
            *ROUTES,
            *sdk.ROUTES,
            *setup.ROUTES,
            Route("/config.js", configuration),
            Route("/health", health),
            Route("/demo/push", push, methods=["POST"]),
            Route("/login/proof", prove, methods=["POST"]),
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ],
        middleware=[
            # A foreign name that resolves to us must not reach /demo/push.
            Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"]),
            Middleware(SafeHeaders, policy=settings.content_policy()),
        ],
        exception_handlers={NOT_FOUND: missing},
        lifespan=lifespan,
    )
    app.state.settings = settings
    app.state.ops_token = ops_token
    return app


class SafeHeaders:
    """Headers against inline scripts and styles, and against caching while one tries things out."""

    def __init__(self, app: ASGIApp, policy: str) -> None:
        self._app = app
        self._headers = {
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-cache",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        await self._app(scope, receive, add)


async def health(_: Request) -> Response:
    return PlainTextResponse("ok")


async def configuration(request: Request) -> Response:
    settings: ShopSettings = request.app.state.settings
    products = {
        product.id: {"name": product.name, "price": product.price, "category": product.category}
        for product in PRODUCTS.values()
    }
    chosen = setup.setup_of(request)
    config = json.dumps({**settings.for_pages(), "loader": chosen.loader, "products": products})
    return Response(f"window.shopConfig = {config};\n", media_type="text/javascript")


async def push(request: Request) -> Response:
    """Send `{"campaign", "visitor"}` to the sender, as a shop's own system would.

    It takes only JSON, which no foreign page can post without asking first.
    """
    if request.headers.get("content-type") != "application/json":
        return _refuse(415, "application/json is required")
    given = _read_request(await request.body())
    if given is None:
        return _refuse(422, f"campaign (one of {', '.join(CAMPAIGNS)}) and visitor are required")
    campaign, visitor = given
    settings: ShopSettings = request.app.state.settings
    client: httpx.AsyncClient = request.app.state.client
    trigger = {
        "id": str(uuid.uuid4()),
        "app": settings.app,
        "campaign": campaign,
        "priority": "transactional",
        "audience": {"visitors": [visitor]},
    }
    try:
        answer = await client.post(
            f"{settings.sender_url}/v1/sends",
            json=trigger,
            headers={"Authorization": f"Bearer {request.app.state.ops_token}"},
        )
    except httpx.HTTPError as exc:
        return _refuse(502, f"the sender doesn't answer ({type(exc).__name__})")
    return JSONResponse({"send": trigger["id"], "sender": _read(answer)}, answer.status_code)


async def prove(request: Request) -> Response:
    """Return `{"loginHash"}`, the proof of `{"login"}` for Carillon.

    A real shop proves only the login of its own session. Here any name will do.
    """
    if request.headers.get("content-type") != "application/json":
        return _refuse(415, "application/json is required")
    login = _read_object(await request.body()).get("login")
    if not isinstance(login, str) or not login:
        return _refuse(422, "login is required")
    settings: ShopSettings = request.app.state.settings
    secret = settings.login_secret.get_secret_value().encode()
    return JSONResponse({"loginHash": hmac.new(secret, login.encode(), "sha256").hexdigest()})


def _read_object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body) if len(body) <= BODY_BYTES else None
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _read_request(body: bytes) -> tuple[str, str] | None:
    given = _read_object(body)
    campaign, visitor = given.get("campaign"), given.get("visitor")
    if campaign not in CAMPAIGNS or not isinstance(visitor, str) or not visitor:
        return None
    return campaign, visitor


def _read(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return answer.text


def _refuse(status: int, message: str) -> Response:
    return JSONResponse({"message": message}, status)
