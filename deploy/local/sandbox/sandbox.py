"""Sandbox that runs: state, store, faults and delivery, opened and closed together."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.sandbox.access import Access
from deploy.local.sandbox.delivery import Delivery
from deploy.local.sandbox.faults import Faults
from deploy.local.sandbox.loading import load_state
from deploy.local.sandbox.state import State
from deploy.local.sandbox.store import Store, open_database

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    data: Path
    webhook_url: str
    access: Access = field(default_factory=Access)


@dataclass(slots=True)
class Sandbox:
    state: State
    store: Store
    faults: Faults
    delivery: Delivery
    clock: Clock
    access: Access


@asynccontextmanager
async def open_sandbox(
    settings: SandboxSettings, faults: Faults, clock: Clock
) -> AsyncIterator[Sandbox]:
    database = open_database(settings.data / "sandbox.sqlite3")
    state = load_state(database, clock())
    store = Store(database)
    delivery = Delivery(state, store, faults, webhook_url=settings.webhook_url, clock=clock)
    running = asyncio.create_task(delivery.run())
    try:
        delivery.resume()
        yield Sandbox(state, store, faults, delivery, clock, settings.access)
    finally:
        running.cancel()
        await asyncio.wait([running])
        await store.close()
