"""Opening of a sender's clients: database, log writer, push providers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from sender_service.context import SenderContext
from sender_service.providers.base import ProviderContext
from sender_service.providers.registry import open_providers
from sender_service.store.progress import ProjectorProgress
from sender_service.store.stores import Stores
from shared.apps import AppRegistry
from shared.clock import monotonic, utc_now
from shared.health import Health
from shared.kafka.client import open_log_writer
from shared.loops import Wakeup
from shared.mongo.client import open_database
from shared.mongo.collections import SENDER
from shared.processes import unique_name
from shared.secrets import Vault
from shared.settings import Settings


@asynccontextmanager
async def open_context(settings: Settings) -> AsyncIterator[SenderContext]:
    """Open a sender's clients; close them in reverse order. No server needs to be reachable."""
    name = unique_name(SENDER)
    vault = Vault(settings.secret_key.get_secret_value())
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(settings.mongo, name))
        writer = await stack.enter_async_context(open_log_writer(settings.kafka, name))
        stores = Stores.open(database)
        providers = await stack.enter_async_context(
            open_providers(ProviderContext(settings, vault, stores.people))
        )
        yield SenderContext(
            name=name,
            settings=settings,
            database=database,
            stores=stores,
            progress=ProjectorProgress(database, monotonic),
            writer=writer,
            providers=providers,
            vault=vault,
            apps=AppRegistry(database, vault),
            health=Health(utc_now, monotonic),
            clock=utc_now,
            monotonic=monotonic,
            planner_wakeup=Wakeup(),
            scheduler_wakeup=Wakeup(),
        )
