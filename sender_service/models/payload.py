"""The size of a push: push services accept 4,096 bytes, OneSignal's own keys included."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

MAX_PAYLOAD_BYTES = 4_096
MANY_BYTES = 3_500  # what OneSignal advises to stay below
# Its own keys and ids, and ours: the tag stands twice, as data and as the message's name.
FRAME_BYTES = 400


def payload_size(body: Mapping[str, Any]) -> int:
    """Return the bytes of a push with these fields, as OneSignal packs them for a browser."""
    fields = {
        "title": body["headings"]["en"], "alert": body["contents"]["en"], "u": body["url"],
        "a": body["data"], "icon": body.get("chrome_web_icon"), "image": body.get("chrome_web_image"),
        "o": body.get("web_buttons"),
    }  # fmt: skip
    return FRAME_BYTES + len(orjson.dumps(fields))
