"""Behaviour of a visitor's browser with a push, and the webhooks of its service worker; pure."""

from dataclasses import dataclass

import orjson

from deploy.local.sandbox.faults import chance, happens
from deploy.local.sandbox.models import Browser, Json, Message, Notification

USER_AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Safari/537.36"
)
EVENTS = {
    ("v15", "displayed"): "notification.displayed",
    ("v16", "displayed"): "notification.willDisplay",
    ("v15", "clicked"): "notification.clicked",
    ("v16", "clicked"): "notification.clicked",
    ("v15", "closed"): "notification.dismissed",
    ("v16", "closed"): "notification.dismissed",
}
MAX_PAYLOAD_BYTES = 4_096  # push services carry no more
FRAME_BYTES = 200  # ids and keys of OneSignal's own
FOLLOW_UP_MS = (5, 40)  # a click or close comes a little after the display


@dataclass(frozen=True, slots=True)
class Acts:
    fails: bool
    displays: bool
    follow_up: str | None  # "clicked" or "closed"
    follow_up_seconds: float


def payload_bytes(message: Message) -> int:
    """Return the size that a push service would have to carry."""
    texts = [message.headings, message.contents, message.url, message.icon, message.image]
    return len(orjson.dumps([*texts, message.buttons, message.data])) + FRAME_BYTES


def plan_acts(item: Notification, browser: Browser) -> Acts:
    """Return what the browser does: always the same for one seed, notification and player."""
    seed, ids, odds = item.seed, (item.id, browser.id), browser.odds
    too_large = payload_bytes(item.message) > MAX_PAYLOAD_BYTES
    if too_large or happens(odds.fail, seed, *ids, "fail"):
        return Acts(fails=True, displays=False, follow_up=None, follow_up_seconds=0)
    displays = happens(odds.display, seed, *ids, "display")
    follow_up = None
    if displays and happens(odds.click, seed, *ids, "click"):
        follow_up = "clicked"
    elif displays and happens(odds.close, seed, *ids, "close"):
        follow_up = "closed"
    least, most = FOLLOW_UP_MS
    wait = least + (most - least) * chance(seed, *ids, "wait") if follow_up else 0.0
    return Acts(False, displays, follow_up, wait / 1000)


def pressed_button(item: Notification, browser: Browser) -> Json | None:
    """Return the pressed button; None for the body."""
    # The body and each of the buttons are pressed equally often.
    buttons = item.message.buttons
    if not buttons:
        return None
    at = int(chance(item.seed, item.id, browser.id, "button") * (len(buttons) + 1))
    return buttons[at - 1] if at else None


def webhook_body(item: Notification, browser: Browser, kind: str, site_name: str) -> bytes:
    make = _v15_body if browser.sdk == "v15" else _v16_body
    return orjson.dumps(make(item, browser, kind, site_name))


def webhook_headers(browser: Browser, kind: str) -> dict[str, str]:
    headers = {"Origin": browser.origin, "User-Agent": USER_AGENT}
    if not browser.cors:
        return headers | {"Content-Type": "text/plain;charset=UTF-8"}
    event = EVENTS[browser.sdk, kind]
    return headers | {"Content-Type": "application/json", "X-OneSignal-Event": event}


def preflight_headers(browser: Browser) -> dict[str, str]:
    return {
        "Origin": browser.origin,
        "User-Agent": USER_AGENT,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-onesignal-event",
    }


def lets_through(browser: Browser, status: int, headers: dict[str, str]) -> bool:
    """Return whether a browser would go on to the POST after this answer to its preflight."""
    origin = headers.get("access-control-allow-origin", "")
    named = headers.get("access-control-allow-headers", "").lower().split(",")
    allowed = {name.strip() for name in named}
    has_headers = "*" in allowed or {"content-type", "x-onesignal-event"} <= allowed
    return 200 <= status < 300 and origin in ("*", browser.origin) and has_headers


def _v15_body(item: Notification, browser: Browser, kind: str, site_name: str) -> Json:
    message = item.message
    button = pressed_button(item, browser) if kind == "clicked" else None
    buttons = [
        _present(
            {"action": b["id"], "title": b["text"], "icon": b.get("icon"), "url": b.get("url")}
        )
        for b in message.buttons
    ]
    return _present(
        {
            "event": EVENTS["v15", kind],
            "id": item.id,
            "userId": browser.id,
            "action": button["id"] if button else None,  # absent for a click on the body
            "buttons": buttons or None,
            "heading": text_for(browser, message.headings) or site_name,
            "content": text_for(browser, message.contents),
            "url": message.url,  # never the button's
            "icon": message.icon,
            "data": message.data,
        }
    )


def _v16_body(item: Notification, browser: Browser, kind: str, site_name: str) -> Json:
    message = item.message
    heading = text_for(browser, message.headings)
    if kind != "displayed":  # the default title is filled in when it is shown
        heading = heading or site_name
    body = {
        "event": EVENTS["v16", kind],
        "notificationId": item.id,
        "heading": heading,
        "content": text_for(browser, message.contents),
        "additionalData": message.data,
    }
    url = message.url
    if kind == "clicked":
        button = pressed_button(item, browser)
        body["actionId"] = button["id"] if button else ""
        url = (button or {}).get("url") or url or browser.origin
    return _present(body | {"url": url, "subscriptionId": browser.id})


def text_for(browser: Browser, texts: dict[str, str]) -> str | None:
    return texts.get(browser.language) or texts.get("en")


def _present(body: Json) -> Json:
    """Return the body without None, as JSON.stringify leaves out undefined values."""
    return {name: value for name, value in body.items() if value is not None}
