"""A website of a test's own, and on another origin what it takes for ingest: the real snippet,
answers that can be chosen, and every event that came."""

from __future__ import annotations

import asyncio
import json
import socket
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from ingest_service.snippet.endpoint import snippet_routes
from shared.apps import AppRegistry
from shared.models.app import App
from shared.mongo.client import open_database
from shared.secrets import Vault
from shared.settings import MongoSettings
from tests.support.stack import eventually

VAULT = Vault("a secret key that is long enough for tests")
KEY = "wk_site"
STUB = "window.carillon = function () { (carillon.q = carillon.q || []).push(arguments); };"


@dataclass
class Site:
    """Site that serves `pages` by path, and keeps their requests' events in the order of arrival."""

    origin: str
    ingest: str
    apps: AppRegistry
    pages: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)
    requests: list[list[dict[str, Any]]] = field(default_factory=list)
    answers: deque[tuple[int, dict[str, str]]] = field(default_factory=deque)  # then 202
    foreign: deque[tuple[int, str]] = field(
        default_factory=deque
    )  # a hotspot's or a proxy's, first
    rejected: list[dict[str, Any]] = field(default_factory=list)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)  # shut: no answer
    version: int = 0
    tries: int = 0
    knows_origin: bool = True

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for request in self.requests for event in request]

    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]

    async def until(self, *types: str) -> list[dict[str, Any]]:
        """All events, once these types have come, as often as they are named."""

        def have() -> bool:
            seen = self.types()
            return all(seen.count(kind) >= types.count(kind) for kind in types)

        try:
            await eventually(have, 15)
        except AssertionError:
            raise AssertionError(f"{types} have not come; these have: {self.types()}") from None
        return self.events

    def configure(self, *, allowedLogins: list[str] | None = None, **snippet: Any) -> None:
        """Configure the app, with this snippet configuration."""
        self.version += 1
        key = {"id": "browser", "kind": "write", "hash": VAULT.hash_key(KEY)}
        app_id = snippet.pop("appId", "5eed0000-ca21-4110-8000-0000000de300")
        app = {
            "_id": "site",
            "name": "Site",
            "version": self.version,
            "oneSignal": {"appId": app_id, "restApiKey": "sealed"},
            "keys": [key],
            "allowedLogins": allowedLogins or [],
            "snippet": {"loadOneSignal": False, **snippet},
        }
        self.apps.take([App.model_validate(app)])

    def page(self, path: str, head: str = "", *, layer: object = None, **headers: str) -> str:
        """Add a page with the snippet, as it is pasted; return its address."""
        described = f"var dataLayer = {json.dumps(layer)};" if layer is not None else ""
        return self.bare(
            path,
            f"<script>{described}\n{STUB}</script>{head}"
            f'<script async src="{self.ingest}/v1/snippet.js?key={KEY}"></script>',
            **headers,
        )

    def bare(self, path: str, head: str, **headers: str) -> str:
        html = f"<!doctype html><html><head><title>A page</title>{head}</head><body>x</body></html>"
        self.pages[path] = (html, {name.replace("_", "-"): v for name, v in headers.items()})
        return self.origin + path


@asynccontextmanager
async def open_site() -> AsyncIterator[Site]:
    async with open_database(MongoSettings(), "test") as database:  # never asked anything
        pages, ingest = (
            socket.create_server(("127.0.0.1", 0)),
            socket.create_server(("127.0.0.1", 0)),
        )
        site = Site(
            f"http://127.0.0.1:{pages.getsockname()[1]}",
            f"http://127.0.0.1:{ingest.getsockname()[1]}",
            AppRegistry(database, VAULT),
        )
        site.may_answer.set()
        site.configure()
        async with serve(_pages(site), pages), serve(_ingest(site), ingest):
            yield site
            site.may_answer.set()


def _pages(site: Site) -> Starlette:
    async def page(request: Request) -> Response:
        if request.url.path not in site.pages:
            return Response(status_code=404)
        html, headers = site.pages[request.url.path]
        kind = "text/javascript" if request.url.path.endswith(".js") else "text/html"
        return HTMLResponse(html, headers=headers, media_type=kind)

    return Starlette(routes=[Route("/{path:path}", page)])


def _ingest(site: Site) -> Starlette:
    async def events(request: Request) -> Response:
        try:
            body = orjson.loads(await request.body())  # as strict as ingest
        except ClientDisconnect:
            return Response()
        site.tries += 1
        if site.foreign:
            status, text = site.foreign.popleft()
            return Response(text, status, {"Access-Control-Allow-Origin": "*"})
        status, headers = site.answers.popleft() if site.answers else (202, {})
        if status == 202:
            site.requests.append(body["events"])
        await site.may_answer.wait()
        result = {"accepted": len(body["events"]), "rejected": site.rejected}
        if site.knows_origin:  # else a page can't read even the status, as with the real door
            headers = {"Access-Control-Allow-Origin": "*", **headers}
        return JSONResponse(result if status < 300 else {"code": "no"}, status, headers=headers)

    async def profile(request: Request) -> Response:
        found = {"visitorId": request.query_params["visitorId"], "db": {"oneSignal": {}}}
        return JSONResponse(found, headers={"Access-Control-Allow-Origin": "*"})

    return Starlette(
        routes=[
            Route("/v1/events", events, methods=["POST"]),
            Route("/v1/profile", profile),
            *snippet_routes(site.apps),
        ]
    )


class _Server(uvicorn.Server):
    """Leaves the signals to pytest."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serve(app: ASGIApp, listener: socket.socket) -> AsyncIterator[None]:
    config = uvicorn.Config(app, lifespan="off", log_config=None, timeout_graceful_shutdown=1)
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await task
        listener.close()
