"""Models of the sandbox: apps, users, browsers and notifications."""

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

from deploy.local.sandbox.limits import MessageWindow, PeakWindow, RateWindow

Json = dict[str, Any]

DEFAULT_ORIGIN = "https://shop.example.test"
DEFAULT_NAME = "Sandbox"  # of an app that was given none
INBOX_SIZE = 100  # pushes kept for a page that polls


@dataclass(slots=True)
class Odds:
    display: float = 1.0
    click: float = 0.3
    close: float = 0.2  # of those not clicked
    fail: float = 0.0  # the push service refuses the push


@dataclass(slots=True)
class Browser:
    id: str
    app_id: str
    user_id: str
    sdk: str = "v16"
    cors: bool = False
    subscribed: bool = True
    notification_types: int = 1
    webhook_url: str | None = None  # None: the sandbox's own setting
    odds: Odds = field(default_factory=Odds)
    auto: bool = True  # acts and posts by itself; a real page does that on its own
    token: str | None = None
    language: str = "en"
    origin: str = DEFAULT_ORIGIN
    kind: str = "ChromePush"


@dataclass(slots=True)
class User:
    id: str
    app_id: str
    aliases: dict[str, str] = field(default_factory=dict)
    properties: Json = field(default_factory=dict)


@dataclass(slots=True)
class Stream:
    url: str
    bearer: str = ""
    shape: str = "flat"


@dataclass(slots=True)
class Message:
    """Content of a push, checked."""

    contents: dict[str, str]
    headings: dict[str, str]
    ttl: int
    url: str | None = None
    icon: str | None = None
    image: str | None = None
    badge: str | None = None
    buttons: list[Json] = field(default_factory=list)
    data: Json | None = None
    name: str | None = None
    topic: str | None = None


@dataclass(slots=True)
class Notification:
    """Accepted call. Each player's acts are one byte per kind of act."""

    id: str
    app_id: str
    seq: int
    external_id: str | None
    message: Message
    players: list[str]
    queued_at: float
    send_at: float
    seed: int
    invalid: int = 0
    state: str = "scheduled"  # then "sent" or "canceled"
    sent_at: float | None = None
    done: bool = False
    acts: dict[str, bytearray] = field(default_factory=dict)
    open_posts: int = 0
    forgotten: bool = False

    def __post_init__(self) -> None:
        for kind in ACTS:
            self.acts.setdefault(kind, bytearray(len(self.players)))


ACTS = ("displayed", "clicked", "closed", "failed")


@dataclass(slots=True)
class App:
    id: str
    rest_api_key: str
    name: str = DEFAULT_NAME
    plan: str = "free"
    disabled: bool = False
    stream: Stream | None = None
    window_from: float = 0.0  # messages before it no longer count
    created_at: float = 0.0


@dataclass(slots=True)
class Desk:
    """State of one app, with its indexes and counters."""

    app: App
    browsers: dict[str, Browser] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    user_browsers: dict[str, list[str]] = field(default_factory=dict)
    aliases: dict[tuple[str, str], str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    inboxes: dict[str, "deque[Notification]"] = field(default_factory=dict)
    notifications: dict[str, Notification] = field(default_factory=dict)
    answers_by_key: dict[str, tuple[float, bytes]] = field(default_factory=dict)
    subscribed: int = 0
    calls: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    counters: Counter[str] = field(default_factory=Counter)
    peak: PeakWindow = field(default_factory=PeakWindow)
    create_rate: RateWindow = field(default_factory=RateWindow)
    view_rate: RateWindow = field(default_factory=RateWindow)
    messages: MessageWindow = field(default_factory=MessageWindow)
