"""Tally of what really happened: the truth that reports are compared with."""

from deploy.local.sandbox.models import ACTS, Desk, Json, Notification

WEBHOOK_COUNTS = ("sent", "failed", "dropped", "duplicated")
STREAM_COUNTS = ("sent", "failed")


def tally_of(desk: Desk, *, summary: bool) -> Json:
    items = list(desk.notifications.values())
    tally: Json = {
        "app_id": desk.app.id,
        "calls": desk.calls,
        "answers": dict(desk.answers),
        "peak_per_second": desk.peak.peak,
        "disabled": desk.app.disabled,
        "subscribed": desk.subscribed,
        "notifications": len(items),
        "webhooks": {name: desk.counters[f"webhooks.{name}"] for name in WEBHOOK_COUNTS},
        "streams": {name: desk.counters[f"streams.{name}"] for name in STREAM_COUNTS},
        "pending": sum(item.state == "sent" and not item.done for item in items),
        "totals": _totals(items),
    }
    if not summary:
        tally["pushes"] = [push for item in items for push in _pushes(item)]
    return tally


def _totals(items: list[Notification]) -> Json:
    totals = {kind: sum(sum(item.acts[kind]) for item in items) for kind in ACTS}
    pushes = sum(len(item.players) for item in items)
    deliveries = sum(len(item.players) for item in items if item.state == "sent")
    return {"pushes": pushes, "deliveries": deliveries - totals["failed"], **totals}


def _pushes(item: Notification) -> list[Json]:
    acts, is_sent = item.acts, item.state == "sent"
    return [
        {
            "notification_id": item.id,
            "player_id": player,
            "external_id": item.external_id,
            "data": item.message.data,
            "queued_at": item.queued_at,
            "deliveries": int(is_sent and not acts["failed"][i]),
            "displayed": acts["displayed"][i],
            "clicked": acts["clicked"][i],
            "closed": acts["closed"][i],
            "failed": acts["failed"][i],
        }
        for i, player in enumerate(item.players)
    ]
