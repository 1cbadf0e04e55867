"""Context of the ops API: settings, stores, clients and clocks that its routers are built from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from sender_service.context import SenderContext
from sender_service.intake.accept import Intake
from sender_service.privacy.requests import Writer
from sender_service.providers.base import Providers
from sender_service.scheduler.budget import MessageBudget
from sender_service.store.stores import Stores
from shared.apps import AppRegistry
from shared.clock import Clock, Monotonic
from shared.health import Health
from shared.loops import Wakeup
from shared.mongo.client import Database
from shared.secrets import Vault
from shared.settings import Settings


@dataclass(frozen=True)
class OpsContext:
    """Made once an API; each router takes from it what it needs."""

    settings: Settings
    database: Database
    writer: Writer
    vault: Vault
    apps: AppRegistry
    health: Health
    intake: Intake
    budget: MessageBudget | None
    scheduler: Wakeup
    providers: Providers
    clock: Clock
    monotonic: Monotonic
    stores: Stores

    @classmethod
    def of(cls, context: SenderContext, intake: Intake, budget: MessageBudget | None) -> Self:
        return cls(
            context.settings, context.database, context.writer, context.vault, context.apps,
            context.health, intake, budget, context.scheduler_wakeup, context.providers,
            context.clock, context.monotonic, context.stores,
        )  # fmt: skip
