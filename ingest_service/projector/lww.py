"""Values that may be written in any order, any number of times: registers, bounded sets, rings.

Everything is stamped with its event's (time, time of receipt, offset, id); the larger stamp wins, so
order and repetition don't matter. Of one visitor's events of one moment the later on the log wins:
they are in one partition. The id decides between visitors, whose offsets may be equal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from shared.models.event import Event

Document = dict[str, Any]
Stamp = tuple[datetime, datetime, int, str]
STAMP_FIELDS = ("at", "event", "received", "offset")

_DIGEST = 8  # bytes an id takes in a ring


def stamped(event: Event, **fields: Any) -> Document:
    return {
        **fields, "at": event.occurred_at, "event": event.id,
        "received": event.received_at, "offset": event.offset,
    }  # fmt: skip


def stamp(entry: Document) -> Stamp:
    """Return what orders entries. OneSignal's word on a player has its time and name only."""
    at: datetime = entry["at"]
    return at, entry.get("received", at), entry.get("offset", 0), entry["event"]


def latest(entries: Iterable[Document | None]) -> Document | None:
    """The register's value: the entry with the largest stamp."""
    return max((e for e in entries if e is not None), key=stamp, default=None)


def latest_per_key(entries: Iterable[Document], *, by: str, limit: int) -> list[Document]:
    """A bounded set: of each key the newest entry, of those the newest `limit`, newest first.

    What is dropped once could never come back: the entries that displaced it only get newer.
    """
    found: dict[Any, Document] = {}
    for entry in entries:
        known = found.get(entry[by])
        if known is None or stamp(entry) > stamp(known):
            found[entry[by]] = entry
    return sorted(found.values(), key=stamp, reverse=True)[:limit]


def has_seen(ring: bytes, name: str) -> bool:
    digest = _digest(name)
    at = ring.find(digest)
    while at >= 0 and at % _DIGEST:
        at = ring.find(digest, at + 1)
    return at >= 0


def remember(ring: bytes, name: str, limit: int) -> bytes:
    """The ring with one more id, the oldest dropped past `limit` ids."""
    return (ring + _digest(name))[-limit * _DIGEST :]


def _digest(name: str) -> bytes:
    return hashlib.blake2b(name.encode(), digest_size=_DIGEST).digest()
