"""Registry of apps with what belongs to each, in memory; the store keeps it on disk."""

from collections import deque
from uuid import NAMESPACE_URL, UUID, uuid5

from deploy.local.sandbox.limits import is_over_message_limit
from deploy.local.sandbox.models import INBOX_SIZE, App, Browser, Desk, Notification, User


class State:
    def __init__(self) -> None:
        self.desks: dict[str, Desk] = {}
        self.next_seq = 1

    def desk(self, app_id: object) -> Desk | None:
        if not isinstance(app_id, str):
            return None
        return self.desks.get(app_id) or self.desks.get(app_id.lower())

    def desk_of_browser(self, browser_id: str) -> Desk | None:
        found = (desk for desk in self.desks.values() if browser_id in desk.browsers)
        return next(found, None)

    def put_app(self, app: App) -> Desk:
        desk = self.desks.setdefault(app.id, Desk(app))
        desk.app = app
        return desk

    def take_seq(self) -> int:
        self.next_seq += 1
        return self.next_seq - 1


def put_user(desk: Desk, user: User) -> None:
    desk.users[user.id] = user
    desk.aliases["onesignal_id", user.id] = user.id
    for label, value in user.aliases.items():
        desk.aliases[label, value] = user.id


def put_browser(desk: Desk, browser: Browser) -> None:
    """Add or replace a browser, and keep the count of subscribed browsers right."""
    old = desk.browsers.get(browser.id)
    if old is not None:
        desk.subscribed -= old.subscribed
        if old.user_id != browser.user_id:
            desk.user_browsers[old.user_id].remove(browser.id)
    desk.browsers[browser.id] = browser
    desk.subscribed += browser.subscribed
    if old is None or old.user_id != browser.user_id:
        desk.user_browsers.setdefault(browser.user_id, []).append(browser.id)
    if browser.token:
        desk.tokens[browser.token] = browser.id


def set_subscribed(desk: Desk, browser: Browser, notification_types: int) -> bool:
    """Set a browser's subscription; return whether it was subscribed and isn't any more."""
    was = browser.subscribed
    browser.notification_types = notification_types
    browser.subscribed = notification_types > 0
    desk.subscribed += int(browser.subscribed) - int(was)
    return was and not browser.subscribed


def mark_sent(desk: Desk, item: Notification, at: float) -> bool:
    """Hand the messages to the push services; return whether they exceed the message limit."""
    item.state = "sent"
    item.sent_at = at
    for player in item.players:
        browser = desk.browsers.get(player)
        if browser is not None and not browser.auto:
            desk.inboxes.setdefault(player, deque(maxlen=INBOX_SIZE)).append(item)
    total = desk.messages.add(at, len(item.players))
    return is_over_message_limit(total, desk.subscribed)


def disable(desk: Desk) -> list[Notification]:
    """Stop the app; return its scheduled notifications, now cancelled."""
    desk.app.disabled = True
    waiting = [item for item in desk.notifications.values() if item.state == "scheduled"]
    for item in waiting:
        item.state = "canceled"
    return waiting


def forget(desk: Desk) -> None:
    for item in desk.notifications.values():
        item.forgotten = True
    fresh = Desk(desk.app)
    for name in ("notifications", "answers_by_key", "inboxes", "messages", "peak"):
        setattr(desk, name, getattr(fresh, name))
    desk.calls, desk.answers, desk.counters = 0, fresh.answers, fresh.counters


def anonymous_user_id(browser_id: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"sandbox-user:{browser_id}"))


def derived_notification_id(app_id: str, key: str) -> str:
    """Return the id of a key, always the same, so that a seeded run can be repeated exactly."""
    return str(uuid5(NAMESPACE_URL, f"sandbox-notification:{app_id}:{UUID(key)}"))
