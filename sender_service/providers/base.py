"""Provider protocol: what delivers pushes, what it can, and what came of a call. Pure."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from sender_service.models.push import Push
from shared.documents.player import Player
from shared.models.app import App
from shared.models.job import Job
from shared.priority import CallPriority
from shared.providers import DEFAULT_PROVIDER
from shared.reasons import RetryReason
from shared.secrets import Vault
from shared.settings import Settings

Json = dict[str, Any]
Channel = tuple[str, str]  # app, provider: each has limits of its own
ConnectionCode = Literal[
    "ok", "key_refused", "app_unknown", "unreachable", "secret_unreadable", "unclear"
]


@dataclass(frozen=True, slots=True)
class MessageWindow:
    """Limit of messages: `factor` times the audience in so many minutes."""

    factor: int
    minutes: int


@dataclass(frozen=True, slots=True)
class ProviderLimits:
    """Limits of an app at a provider. `messages` is None without a limit of messages."""

    requests_per_second: float
    max_targets: int  # players of one call
    max_data_bytes: int
    max_ttl_seconds: int
    messages: MessageWindow | None


@dataclass(frozen=True, slots=True)
class PushPreview:
    """Parts of a push that a person sees."""

    title: str
    text: str
    url: str
    icon: str | None
    image: str | None
    buttons: tuple[str, ...]

    @classmethod
    def of(cls, push: Push) -> PushPreview:
        """Return the preview of a provider that shows all parts of a push."""
        buttons = tuple(button.text for button in push.buttons)
        return cls(push.title, push.text, push.url, push.icon, push.image, buttons)


@dataclass(frozen=True, slots=True)
class ConnectionResult:
    """Result of a connection check; the counts come with "ok", where the provider gives them."""

    result: ConnectionCode
    message: str
    players: int | None = None
    messageable_players: int | None = None


@dataclass(frozen=True)
class Sent:
    """The players get the push, except the `invalid` ones."""

    notification: str
    replayed: bool
    invalid: frozenset[str] = frozenset()


@dataclass(frozen=True)
class NotSent:
    """The provider took the call, but no player gets the push: none is subscribed."""


@dataclass(frozen=True)
class RetryAfter:
    """Unclear whether it was stored: repeat the same key after `seconds` (None: the usual backoff)."""

    code: RetryReason
    seconds: float | None = None


@dataclass(frozen=True)
class Refused:
    """Definitely not sent. `whose`: the fault of the call or of the whole app."""

    whose: Literal["call", "app"]
    code: str
    message: str


Outcome = Sent | NotSent | RetryAfter | Refused


class Provider(Protocol):
    """Provider of one process, for all apps."""

    @property
    def name(self) -> str:
        """Name of chunks, jobs and players, and label of metrics."""

    def limits(self, app: App) -> ProviderLimits: ...

    def body(self, app: App, push: Push, tag: str, topic: str, ttl: int) -> Json:
        """Return a call's body without targets and key. Pure: equal arguments, equal bytes."""

    def preview(self, push: Push) -> PushPreview: ...

    def connections(self, priority: CallPriority) -> asyncio.Semaphore:
        """Return the connections of a priority; a caller holds one while it calls."""

    async def call(self, app: App, job: Job) -> Outcome:
        """Call for one job. Raises nothing: a failed call is an outcome."""

    async def audience_size(self, app: App) -> int | None:
        """Return the provider's count of reachable players; None when it gives none."""

    async def check_connection(self, app: App) -> ConnectionResult:
        """Ask the provider for the app. Raises nothing: a failure is a result."""


Providers = Mapping[str, Provider]


def request_rate(providers: Providers, app: App) -> float:
    """Return the calls a second of the app's slowest provider; 0 where none is open."""
    # An app's calls are counted together: the slowest provider's rate never fills another's topic.
    names = (DEFAULT_PROVIDER, *app.providers)
    rates = [providers[n].limits(app).requests_per_second for n in names if n in providers]
    return min(rates, default=0.0)


class PlayerReader(Protocol):
    """Reader of players as the ledger has them, for providers that keep subscriptions there."""

    async def ledger(self, app: str, players: Sequence[str]) -> Mapping[str, Player]: ...


@dataclass(frozen=True)
class ProviderContext:
    """Dependencies that a provider may take at its start."""

    settings: Settings
    vault: Vault
    players: PlayerReader
