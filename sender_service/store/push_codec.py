"""Stored form of a rendered push, in `bodies`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import orjson

from sender_service.models.push import Push, PushButton, button_fields
from shared.mongo.client import Document


def encode_bodies(page: str, pushes: Sequence[Push]) -> tuple[str, list[Document]]:
    """Return the id of a page's bodies, which names their content, and the pushes as stored."""
    bodies = [encode_push(push) for push in pushes]
    digest = hashlib.sha256(orjson.dumps(bodies, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return f"{page}:{digest[:16]}", bodies


def encode_push(push: Push) -> Document:
    """Return the push as stored; absent parts are left out."""
    found: Document = {"title": push.title, "text": push.text, "url": push.url, "data": push.data}
    if push.icon is not None:
        found["icon"] = push.icon
    if push.image is not None:
        found["image"] = push.image
    if push.buttons:
        found["buttons"] = [button_fields(button) for button in push.buttons]
    return found


def decode_push(found: Document) -> Push:
    """Return a stored push. A blanked one has no texts."""
    return Push(
        title=found.get("title", ""),
        text=found.get("text", ""),
        url=found.get("url", ""),
        icon=found.get("icon"),
        image=found.get("image"),
        buttons=tuple(PushButton(**button) for button in found.get("buttons", ())),
        data=found["data"],
    )
