"""A real sandbox on a free port, a client for it, and a receiver for what browsers post."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from deploy.local.sandbox.access import Access
from deploy.local.sandbox.app import create_app
from deploy.local.sandbox.faults import Faults
from deploy.local.sandbox.sandbox import SandboxSettings

KEY = "os_v2_app_of_a_test"
Json = dict[str, Any]


async def until(check: Callable[[], Awaitable[bool] | bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = check()
        if found if isinstance(found, bool) else await found:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"not within {seconds} s")


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """Serve the app on a real socket; yield its address."""
    # With the protocol named, or asyncio leaves Nagle on and each answer takes 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server._serve([listener]))
    try:
        await until(lambda: server.started)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running
        listener.close()


@dataclass
class Received:
    method: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """Stand-in for the backend: keeps what it gets, and answers as a test sets it."""

    url: str = ""
    requests: list[Received] = field(default_factory=list)
    status: int = 204
    refusals: int = 0  # so many posts are answered 503 first
    allow_origin: str = "*"

    def posts(self) -> list[Received]:
        return [request for request in self.requests if request.method == "POST"]

    async def take(self, request: Request) -> Response:
        headers = dict(request.headers)
        self.requests.append(Received(request.method, headers, await request.body()))
        status = self.status
        if request.method == "POST" and self.refusals:
            self.refusals -= 1
            status = 503
        allow = {
            "Access-Control-Allow-Origin": self.allow_origin,
            "Access-Control-Allow-Headers": "content-type, x-onesignal-event",
        }
        return Response(status_code=status, headers=allow)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = Starlette(routes=[Route("/hook", receiver.take, methods=["POST", "OPTIONS"])])
    async with serving(app) as address:
        receiver.url = f"{address}/hook"
        yield receiver


@dataclass
class SandboxApp:
    """One app of a running sandbox, seen by a client."""

    client: httpx.AsyncClient
    app_id: str = field(default_factory=lambda: str(uuid4()))

    @property
    def address(self) -> str:
        return str(self.client.base_url).rstrip("/")

    async def put_app(self, **values: Any) -> Json:
        body = {"rest_api_key": KEY, "plan": "paid", **values}
        return await self._good("PUT", f"/sandbox/apps/{self.app_id}", body)

    async def browsers(self, count: int | None = 1, **values: Any) -> list[str]:
        body = {"app_id": self.app_id, "count": count, **values}
        ids: list[str] = (await self._good("POST", "/sandbox/browsers", body))["ids"]
        return ids

    async def faults(self, **values: Any) -> None:
        await self._good("PUT", "/sandbox/faults", values)

    async def tally(self) -> Json:
        path = f"/sandbox/tally?app_id={self.app_id}"
        return dict((await self.client.get(path)).json())

    async def create(self, ids: list[str] | None = None, **values: Any) -> httpx.Response:
        body: Json = {"app_id": self.app_id, "contents": {"en": "Hello"}, **values}
        if ids is not None:
            body["include_subscription_ids"] = ids
        return await self.post("/notifications", body)

    async def post(self, path: str, body: Json, key: str = f"Key {KEY}") -> httpx.Response:
        return await self.client.post(path, json=body, headers={"Authorization": key})

    async def final_tally(self) -> Json:
        """Return the tally once every browser is finished."""

        async def is_over() -> bool:
            return bool((await self.tally())["pending"] == 0)

        await until(is_over)
        return await self.tally()

    async def _good(self, method: str, path: str, body: Json) -> Json:
        answer = await self.client.request(method, path, json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


@asynccontextmanager
async def sandbox_at(
    data: Path,
    *,
    webhook_url: str = "http://127.0.0.1:9/closed",
    clock: Callable[[], float] = time.time,
    access: Access | None = None,
) -> AsyncIterator[SandboxApp]:
    faults = Faults()
    app = create_app(
        SandboxSettings(data, webhook_url, access or Access()), faults=faults, clock=clock
    )
    async with serving(app) as address, httpx.AsyncClient(base_url=address, timeout=10) as client:
        try:
            yield SandboxApp(client)
        finally:
            faults.close()
