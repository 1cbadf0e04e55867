"""Bodies of Event Streams that OneSignal's servers post, as the sample template makes them; pure."""

from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5

from deploy.local.sandbox.models import Browser, Desk, Json, Message, Notification

CONTENTS_MAX = 50
DEVICES = {
    "ChromePush": "Chrome",
    "FirefoxPush": "Firefox",
    "SafariPush": "Safari",
    "SafariLegacyPush": "Safari",
}
STREAM_KINDS = {"displayed": "received", "clicked": "clicked", "failed": "failed"}
FAILURE_REASON = "Unregistered"


def event_id(kind: str, browser: Browser, item: Notification | None, at: float) -> str:
    """Return an event's id, the same for every attempt to deliver it."""
    about = item.id if item else str(at)
    return str(uuid5(NAMESPACE_URL, f"sandbox-event:{kind}:{about}:{browser.id}"))


def stream_body(
    desk: Desk, browser: Browser, item: Notification | None, kind: str, at: float
) -> Json:
    user = desk.users.get(browser.user_id)
    moment = datetime.fromtimestamp(at, UTC)
    message = item.message if item else None
    flat = {
        "event.kind": f"message.push.{kind}",
        "event.id": event_id(kind, browser, item, at),
        "event.timestamp": str(int(at)),
        "event.datetime": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "event.app_id": desk.app.id,
        "event.subscription_device_type": DEVICES.get(browser.kind, ""),
        "event.subscription_id": browser.id,
        "event.onesignal_id": browser.user_id,
        "event.external_id": user.aliases.get("external_id", "") if user else "",
        "event.data.failure_reason": FAILURE_REASON if kind == "failed" else "",
        "message.id": item.id if item else "",
        **_message_fields(message),
    }
    stream = desk.app.stream
    return _nested(flat) if stream and stream.shape == "nested" else dict(flat)


def _message_fields(message: Message | None) -> dict[str, str]:
    contents = message.contents if message else {}
    clipped = {language: text[:CONTENTS_MAX] for language, text in contents.items()}
    return {
        "message.name": (message.name or "") if message else "",
        "message.title": _quoted(message.headings if message else {}),
        "message.contents": _quoted(clipped),
        "message.template_id": "",
        "message.url": (message.url or "") if message else "",
        "message.app_url": "",
        "message.web_url": "",
    }


def _quoted(texts: dict[str, str]) -> str:
    if not texts:
        return ""
    return "{" + ",".join(f"'{language}':'{text}'" for language, text in texts.items()) + "}"


def _nested(flat: dict[str, str]) -> Json:
    nested: Json = {}
    for path, value in flat.items():
        *parents, name = path.split(".")
        place = nested
        for parent in parents:
            place = place.setdefault(parent, {})
        place[name] = value
    return nested
