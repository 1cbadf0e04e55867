"""Stands between browsers and ingest, and remembers which webhook was answered how."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
from aiohttp import web

from tests.faults.fault_cluster import FaultCluster
from tests.support.stack import free_port

KINDS = {
    "notification.displayed": "impression",
    "notification.willDisplay": "impression",
    "notification.clicked": "click",
    "notification.dismissed": "close",
}
Seen = set[tuple[str, str]]  # (player, kind)
ANSWER_SECONDS = 8.0


class WebhookProxy:
    """`accepted`: who was answered 2xx, by send; `tried`: who ever asked. Browsers post once and never
    again, so each answer is final: `strange` are those that are neither a 2xx nor an honest 503."""

    def __init__(self, world: FaultCluster) -> None:
        self._world = world
        self.port = free_port()
        self.accepted: dict[str, Seen] = defaultdict(set)
        self.tried: dict[str, Seen] = defaultdict(set)
        self.strange: list[str] = []
        self._open = asyncio.Event()
        self._open.set()
        self.waiting: set[str] = set()  # sends whose webhooks are held back

    def url(self, webhook_key: str) -> str:
        return f"http://127.0.0.1:{self.port}/{webhook_key}"

    @property
    def is_paused(self) -> bool:
        return not self._open.is_set()

    def pause(self) -> None:
        """Lets nobody in for a while."""
        self._open.clear()

    def resume(self) -> None:
        self._open.set()
        self.waiting.clear()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[WebhookProxy]:
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as self._session:
            app = web.Application()
            app.router.add_post("/{key}", self._pass_on)
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", self.port).start()
            try:
                yield self
            finally:
                await runner.cleanup()

    async def _pass_on(self, request: web.Request) -> web.Response:
        raw = await request.read()
        send, who = _read(orjson.loads(raw))
        self.tried[send].add(who)
        if self.is_paused:
            self.waiting.add(send)
            await self._open.wait()
        status = await self._ask(request, raw)
        if status < 300:
            self.accepted[send].add(who)
        return web.Response(status=status)

    async def _ask(self, request: web.Request, raw: bytes) -> int:
        """Return ingest's status; 502 where it gives no answer, which it may only while it is away."""
        url = f"http://{self._world.ingest.address}"
        url = f"{url}/v1/webhooks/onesignal/{request.match_info['key']}"
        headers = {"Content-Type": request.headers.get("Content-Type", "text/plain")}
        since = self._world.up.get("ingest")
        try:
            async with self._session.post(url, data=raw, headers=headers) as answer:
                body = await answer.text()
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            if since is not None and self._world.up.get("ingest") == since:
                self.strange.append(f"a webhook: {type(exc).__name__} while ingest was up")
            return 502
        honest = answer.status == 503 and int(answer.headers.get("Retry-After", 0)) > 0
        if answer.status >= 300 and not honest:
            self.strange.append(f"a genuine webhook: {answer.status} {body}")
        return answer.status


def _read(body: dict[str, Any]) -> tuple[str, tuple[str, str]]:
    data = body.get("additionalData") or body.get("data") or {}
    player = str(body.get("subscriptionId") or body.get("userId")).lower()
    return sent_by(data), (player, KINDS[body["event"]])


def sent_by(data: dict[str, Any]) -> str:
    """Return the send that the tag of a push names."""
    return str(data["carillon"]).split(".")[2]
