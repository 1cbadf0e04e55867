"""Views of a notification and an app, as the REST API returns them; pure."""

from datetime import UTC, datetime

from deploy.local.sandbox.models import Desk, Json, Notification

PLATFORMS = {
    "ChromePush": "chrome_web_push",
    "FirefoxPush": "firefox_web_push",
    "SafariPush": "safari_web_push",
    "SafariLegacyPush": "safari_web_push",
}


def notification_view(desk: Desk, item: Notification) -> Json:
    message = item.message
    totals = _stats(item, list(range(len(item.players))))
    is_over = item.state != "scheduled"
    return {
        "id": item.id,
        "app_id": item.app_id,
        "external_id": item.external_id,
        "contents": message.contents,
        "headings": message.headings,
        "data": message.data,
        "url": message.url,
        "name": message.name,
        "web_push_topic": message.topic,
        "ttl": message.ttl,
        "successful": totals["successful"],
        "failed": item.invalid,  # unsubscribed targets
        "errored": totals["errored"],
        "converted": totals["converted"],
        "received": totals["received"],
        "remaining": 0 if is_over else len(item.players),
        "queued_at": int(item.queued_at),
        "send_after": int(item.send_at),
        "completed_at": int(item.sent_at) if item.sent_at is not None else None,
        "canceled": item.state == "canceled",
        "throttle_rate_per_minute": None,
        "fcap_status": "uncapped",
        "platform_delivery_stats": _platforms(desk, item),
    }


def app_view(desk: Desk) -> Json:
    created = datetime.fromtimestamp(desk.app.created_at, UTC)
    moment = created.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "id": desk.app.id,
        "name": desk.app.name,
        "players": len(desk.browsers),
        "messageable_players": desk.subscribed,
        "created_at": moment,
        "updated_at": moment,
    }


def _platforms(desk: Desk, item: Notification) -> Json:
    groups: dict[str, list[int]] = {"chrome_web_push": []}
    for index, player in enumerate(item.players):
        browser = desk.browsers.get(player)
        kind = browser.kind if browser else "ChromePush"
        groups.setdefault(PLATFORMS.get(kind, "chrome_web_push"), []).append(index)
    return {name: _stats(item, indexes) | {"failed": 0} for name, indexes in groups.items()}


def _stats(item: Notification, indexes: list[int]) -> dict[str, int]:
    def count(kind: str) -> int:
        return sum(item.acts[kind][index] > 0 for index in indexes)

    errored = count("failed")
    return {
        "successful": len(indexes) - errored if item.state == "sent" else 0,
        "errored": errored,
        "converted": count("clicked"),
        "received": count("displayed"),
    }
