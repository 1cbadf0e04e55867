"""One service by itself, with a broker and a database of its own: what it takes is its own memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support import stack
from tests.support.ingest_process import client_of, seeded, until


@dataclass(frozen=True)
class LoneService:
    server: stack.Server
    http: httpx.AsyncClient


@asynccontextmanager
async def open_lone_service(name: str, folder: Path) -> AsyncIterator[LoneService]:
    """Start the service, and wait until it is ready."""
    async with AsyncExitStack() as opened:
        broker = opened.enter_context(stack.broker())
        database = opened.enter_context(stack.database(folder / "database"))
        settings = stack.settings_for(broker.address, f"mongodb://{database.address}", folder)
        await opened.enter_async_context(seeded(settings))
        server = opened.enter_context(stack.service(name, settings))
        http = await opened.enter_async_context(client_of(server))
        await until(http, 200, "ready")
        yield LoneService(server, http)
