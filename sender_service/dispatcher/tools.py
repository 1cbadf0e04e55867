"""Stores, providers and settings that the dispatcher works with."""

from __future__ import annotations

from dataclasses import dataclass

from sender_service.context import SenderContext
from sender_service.dispatcher.governor import Governor
from sender_service.providers.base import Providers
from sender_service.store.apps import AppStore
from shared.apps import AppRegistry
from shared.clock import Clock
from shared.kafka.batches import BatchWriter, CoalescingWriter


@dataclass(frozen=True)
class DispatcherTools:
    apps: AppRegistry
    app_store: AppStore
    governor: Governor
    providers: Providers
    writer: CoalescingWriter
    clock: Clock

    @classmethod
    def of(cls, context: SenderContext, governor: Governor) -> DispatcherTools:
        timeout = context.settings.kafka.request_timeout_ms / 1_000
        writer = CoalescingWriter(BatchWriter(context.writer), timeout)
        return cls(
            context.apps, context.stores.apps, governor, context.providers, writer, context.clock
        )
