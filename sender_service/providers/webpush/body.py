"""Body of a job: what our service worker reads, and the headers of RFC 8030. Pure."""

from __future__ import annotations

from sender_service.models.push import Push
from sender_service.providers.base import Json

MAX_TOPIC_LENGTH = 32  # the most that a `Topic` header may have


def build_body(push: Push, tag: str, topic: str, ttl: int) -> Json:
    """Return message, topic and ttl. A message replaces an earlier one of its topic."""
    message: Json = {
        "title": push.title,
        "body": push.text,
        "url": push.url,
        "data": {**push.data, "carillon": tag},
        "tag": topic,
    }
    if push.icon:
        message["icon"] = push.icon
    if push.image:
        message["image"] = push.image
    if push.buttons:
        message["actions"] = [
            {"action": b.id, "title": b.text, "url": b.url, "icon": b.icon} for b in push.buttons
        ]
    return {"message": message, "topic": topic.replace("-", "")[:MAX_TOPIC_LENGTH], "ttl": ttl}
