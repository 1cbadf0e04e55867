"""Context of a sender: settings, stores, clients and clocks that all its parts are built from."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from sender_service.models.push_tag import TagSigner
from sender_service.providers.base import ProviderContext, Providers
from sender_service.providers.registry import PROVIDERS, Opener, open_providers
from sender_service.store.stores import Stores
from shared.apps import AppRegistry
from shared.clock import Clock, Monotonic, monotonic, utc_now
from shared.health import Health
from shared.kafka.client import LogWriter, open_log_writer
from shared.loops import Wakeup
from shared.mongo.client import Database, open_database
from shared.mongo.collections import SENDER
from shared.processes import unique_name
from shared.secrets import Vault
from shared.settings import Settings

TAG_PURPOSE = "push-tag"
Registry = Mapping[str, Opener]  # of push providers, by name


@dataclass(frozen=True, kw_only=True)
class SenderContext:
    """Made once a process; parts take it, or what they need from it."""

    name: str  # of the process, unique: leases carry it
    settings: Settings
    database: Database
    stores: Stores
    writer: LogWriter
    providers: Providers
    vault: Vault
    apps: AppRegistry
    health: Health
    clock: Clock
    monotonic: Monotonic
    planner_call: Wakeup
    scheduler_call: Wakeup

    @property
    def tagger(self) -> TagSigner:
        return TagSigner(self.vault.derive(TAG_PURPOSE))


@asynccontextmanager
async def open_context(
    settings: Settings, registry: Registry | None = None
) -> AsyncIterator[SenderContext]:
    """Open a sender's clients; close them in reverse order. No server needs to be reachable.

    `registry`: the push providers; all of them if None.
    """
    name = unique_name(SENDER)
    vault = Vault(settings.secret_key.get_secret_value())
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(settings.mongo, name))
        writer = await stack.enter_async_context(open_log_writer(settings.kafka, name))
        stores = Stores.open(database)
        providers = await stack.enter_async_context(
            open_providers(ProviderContext(settings, vault, stores.people), registry or PROVIDERS)
        )
        yield SenderContext(
            name=name,
            settings=settings,
            database=database,
            stores=stores,
            writer=writer,
            providers=providers,
            vault=vault,
            apps=AppRegistry(database, vault),
            health=Health(utc_now, monotonic),
            clock=utc_now,
            monotonic=monotonic,
            planner_call=Wakeup(),
            scheduler_call=Wakeup(),
        )
