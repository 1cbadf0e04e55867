"""Context of a sender: settings, stores, clients and clocks that all its parts are built from."""

from __future__ import annotations

from dataclasses import dataclass

from sender_service.models.push_tag import TagSigner
from sender_service.providers.base import Providers
from sender_service.store.progress import ProjectorProgress
from sender_service.store.stores import Stores
from shared.apps import AppRegistry
from shared.clock import Clock, Monotonic
from shared.health import Health
from shared.kafka.client import LogWriter
from shared.loops import Wakeup
from shared.mongo.client import Database
from shared.secrets import Vault
from shared.settings import Settings

TAG_PURPOSE = "push-tag"


@dataclass(frozen=True, kw_only=True)
class SenderContext:
    """Made once a process; parts take it, or what they need from it."""

    name: str  # of the process, unique: leases carry it
    settings: Settings
    database: Database
    stores: Stores
    progress: ProjectorProgress
    writer: LogWriter
    providers: Providers
    vault: Vault
    apps: AppRegistry
    health: Health
    clock: Clock
    monotonic: Monotonic
    planner_wakeup: Wakeup
    scheduler_wakeup: Wakeup

    @property
    def tagger(self) -> TagSigner:
        return TagSigner(self.vault.derive(TAG_PURPOSE))
