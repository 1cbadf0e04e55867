"""A rendered push in one language, with nobody's field names, and its size. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

MAX_PUSH_BYTES = 4_096  # push services accept no more, a provider's own keys included
MANY_BYTES = 3_500  # what providers advise to stay below
# A provider's keys and ids, and ours: the tag stands twice, as data and as the message's name.
FRAME_BYTES = 400


@dataclass(frozen=True, slots=True)
class PushButton:
    id: str
    text: str
    url: str | None = None
    icon: str | None = None


@dataclass(frozen=True, slots=True)
class Push:
    """Rendered push; `bodies` stores it, and a provider makes a call's body of it."""

    title: str
    text: str
    url: str
    icon: str | None = None
    image: str | None = None
    buttons: tuple[PushButton, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)


def button_fields(button: PushButton) -> dict[str, str]:
    """Return the button's fields by name; absent ones are left out."""
    fields = {"id": button.id, "text": button.text, "url": button.url, "icon": button.icon}
    return {name: value for name, value in fields.items() if value is not None}


def push_size(push: Push) -> int:
    """Return the bytes of a push, as a provider packs it for a browser."""
    buttons = [button_fields(button) for button in push.buttons]
    fields = {
        "title": push.title, "alert": push.text, "u": push.url, "a": push.data,
        "icon": push.icon, "image": push.image, "o": buttons or None,
    }  # fmt: skip
    return FRAME_BYTES + len(orjson.dumps(fields))
