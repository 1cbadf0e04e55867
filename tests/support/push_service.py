"""A push service on this machine: it takes what a browser's does, and decrypts it."""

from __future__ import annotations

import base64
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import http_ece
import orjson
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def build_vapid_key() -> str:
    """Return a new private key as VAPID writes one."""
    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return _text(number.to_bytes(32, "big"))


@dataclass
class Received:
    headers: dict[str, str]
    message: dict[str, Any]


@dataclass
class PushService:
    """Service with one browser's subscription; `status` is its answer."""

    address: str = ""
    status: int = 201
    received: list[Received] = field(default_factory=list)
    _key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    _secret: bytes = field(default_factory=lambda: os.urandom(16))

    @property
    def subscription(self) -> dict[str, Any]:
        """Return the subscription as the browser gives it to a page."""
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        keys = {"p256dh": _text(point), "auth": _text(self._secret)}
        return {"endpoint": f"{self.address}/push/one", "keys": keys}

    async def take(self, request: web.Request) -> web.Response:
        opened = http_ece.decrypt(
            await request.read(), private_key=self._key, auth_secret=self._secret,
            version="aes128gcm",
        )  # fmt: skip
        self.received.append(
            Received({n.lower(): v for n, v in request.headers.items()}, orjson.loads(opened))
        )
        return web.Response(status=self.status)


@asynccontextmanager
async def open_push_service() -> AsyncIterator[PushService]:
    service, app = PushService(), web.Application()
    app.router.add_post("/push/one", service.take)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        service.address = f"http://{host}:{port}"
        yield service
    finally:
        await runner.cleanup()
