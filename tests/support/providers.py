"""Providers of tests: OneSignal without a client, or on a client of the test's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

from sender_service.providers.base import Channel, Providers
from sender_service.providers.onesignal.client import OneSignalClient
from sender_service.providers.onesignal.limits import MESSAGE_WINDOW
from sender_service.providers.onesignal.provider import ONESIGNAL_NAME, OneSignalProvider
from sender_service.scheduler.audience_size import AudienceSource, SubscriberCounts
from sender_service.scheduler.budget import CLOCKS_DIFFER_MINUTES
from sender_service.store.people import PeopleReader
from shared.apps import AppRegistry
from shared.clock import Monotonic
from shared.models.app import App
from shared.settings import GovernorSettings

WINDOW_MINUTES = MESSAGE_WINDOW.minutes + CLOCKS_DIFFER_MINUTES
Ask = Callable[[str], Awaitable[int | None]]  # app → its count; None when refused


def channel_of(app: str) -> Channel:
    return app, ONESIGNAL_NAME


def on_client(client: OneSignalClient | None) -> OneSignalProvider:
    """Return OneSignal on a client; without one it makes bodies and has its limits."""
    return OneSignalProvider(cast(Any, client), cast(Any, None))


ONESIGNAL = on_client(None)


class CountedProvider(OneSignalProvider):
    """OneSignal whose count of an audience a test gives."""

    def __init__(self, ask: Ask) -> None:
        super().__init__(cast(Any, None), cast(Any, None))
        self._ask = ask

    def audience_size(self, app: App) -> Any:
        return self._ask(app.id)


def build_counts(
    people: PeopleReader, apps: AppRegistry, providers: Providers | Ask, monotonic: Monotonic
) -> SubscriberCounts:
    """Return counts of these providers, or of OneSignal with a count that the test gives."""
    found = {ONESIGNAL_NAME: CountedProvider(providers)} if callable(providers) else providers
    seconds = GovernorSettings().audience_refresh_seconds
    return SubscriberCounts(AudienceSource(people, apps, found), seconds, monotonic)
