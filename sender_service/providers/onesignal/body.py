"""Body of `POST /notifications`, and what a person sees of it (docs/onesignal.md A2). Pure."""

from __future__ import annotations

from sender_service.models.push import Push, PushButton
from sender_service.providers.base import Json


def build_body(app_id: str, push: Push, tag: str, topic: str, ttl: int) -> Json:
    """Return the body without targets and key. Calls repeat its bytes: their order stays."""
    body: Json = {
        "headings": {"en": push.title},
        "contents": {"en": push.text},
        "url": push.url,
        "data": {**push.data, "carillon": tag},
    }
    if push.icon:
        body["chrome_web_icon"] = body["firefox_icon"] = push.icon
    if push.image:
        body["chrome_web_image"] = push.image
    if push.buttons:
        body["web_buttons"] = [_button(button) for button in push.buttons]
    body["app_id"] = app_id
    body["name"] = tag  # Event Streams may bring it back
    body["web_push_topic"] = topic
    body["ttl"] = ttl
    return body


def _button(button: PushButton) -> Json:
    fields = {"id": button.id, "text": button.text}
    if button.url:
        fields["url"] = button.url
    if button.icon:
        fields["icon"] = button.icon
    return fields
