"""The signed tag every push carries: which send, page and chunk it belongs to (docs/design.md 2.5).

`v1.<key id>.<send>.<page>.<chunk>.<mac>`, at most 100 characters; the mac is 16 bytes, base64url.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass

from shared.ids import is_uuid

MAX_TAG = 100


@dataclass(frozen=True)
class TagClaims:
    """A genuine tag's contents: the send, page and chunk that the push belongs to."""

    send: str
    page: int
    chunk: str


class TagSigner:
    """Signs and verifies tags. `key` is derived from the secret key; its id is in the tag."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._key_id = hashlib.sha256(key).hexdigest()[:4]

    def sign(self, send: str, page: int, chunk: str) -> str:
        body = f"v1.{self._key_id}.{send}.{page}.{chunk}"
        return f"{body}.{self._mac(body)}"

    def verify(self, tag: object) -> TagClaims | None:
        """Return the tag's claims, or None if it is absent, malformed or forged."""
        if not isinstance(tag, str) or len(tag) > MAX_TAG or not tag.isascii():
            return None
        parts = tag.split(".")
        if len(parts) < 6 or parts[0] != "v1" or parts[1] != self._key_id:
            return None
        body, mac = tag.rsplit(".", 1)
        if not hmac.compare_digest(mac, self._mac(body)):
            return None
        if not is_uuid(parts[2]) or not parts[3].isdigit():
            return None
        return TagClaims(parts[2], int(parts[3]), ".".join(parts[4:-1]))

    def _mac(self, body: str) -> str:
        digest = hmac.new(self._key, body.encode(), hashlib.sha256).digest()[:16]
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")
