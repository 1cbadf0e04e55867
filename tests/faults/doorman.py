"""Stands between browsers and ingest, and remembers which webhook was answered with a 2xx."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
from aiohttp import web

from tests.stack import free_port

KINDS = {
    "notification.displayed": "impression",
    "notification.willDisplay": "impression",
    "notification.clicked": "click",
    "notification.dismissed": "close",
}
Seen = set[tuple[str, str]]  # (player, kind)


class Doorman:
    """`told`: who was answered 2xx, by send; `tried`: who ever asked."""

    def __init__(self, ingest: str) -> None:
        self._ingest = ingest
        self.port = free_port()
        self.told: dict[str, Seen] = defaultdict(set)
        self.tried: dict[str, Seen] = defaultdict(set)

    def url(self, webhook_key: str) -> str:
        return f"http://127.0.0.1:{self.port}/{webhook_key}"

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Doorman]:
        timeout = aiohttp.ClientTimeout(total=8)
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
        url = f"http://{self._ingest}/v1/webhooks/onesignal/{request.match_info['key']}"
        headers = {"Content-Type": request.headers.get("Content-Type", "text/plain")}
        try:
            async with self._session.post(url, data=raw, headers=headers) as answer:
                await answer.read()
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            return web.Response(status=502)
        if status < 300:
            self.told[send].add(who)
        return web.Response(status=status)


def _read(body: dict[str, Any]) -> tuple[str, tuple[str, str]]:
    data = body.get("additionalData") or body.get("data") or {}
    player = str(body.get("subscriptionId") or body.get("userId")).lower()
    return sent_by(data), (player, KINDS[body["event"]])


def sent_by(data: dict[str, Any]) -> str:
    """The send that the tag of a push names."""
    return str(data["carillon"]).split(".")[2]
