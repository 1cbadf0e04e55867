"""Values that may be written in any order, any number of times: registers, bounded sets, rings.

Everything is stamped with its event's (time, time of receipt, offset, id); the larger stamp wins, so
order and repetition don't matter. Of one visitor's events of one moment the later on the log wins:
they are in one partition. The id decides between visitors, whose offsets may be equal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import TypeVar

from shared.documents.merge import EventMark
from shared.documents.player import StampFields
from shared.models.event import Event

Stamp = tuple[datetime, datetime, int, str]
Entry = TypeVar("Entry", bound=StampFields)

_DIGEST = 8  # bytes an id takes in a ring
KEPT_DIGESTS = 4_096  # each event's is asked for several times in its batch


def stamp_of(event: Event) -> Stamp:
    return event.occurred_at, event.received_at, event.offset, event.id


def stamped(event: Event) -> StampFields:
    """Return the stamp's fields of an entry to store."""
    return {
        "at": event.occurred_at, "event": event.id,
        "received": event.received_at, "offset": event.offset,
    }  # fmt: skip


def is_of(mark: StampFields | EventMark, event: Event) -> bool:
    return mark["event"] == event.id


def stamp(entry: StampFields) -> Stamp:
    """Return what orders entries. OneSignal's report on a player has its time and name only."""
    at = entry["at"]
    return at, entry.get("received", at), entry.get("offset", 0), entry["event"]


def latest(entries: Iterable[Entry | None]) -> Entry | None:
    """Return the register's value: the entry with the largest stamp; None if there is none."""
    return max((e for e in entries if e is not None), key=stamp, default=None)


def later(known: Entry | None, entry: Entry) -> Entry:
    """Return the entry with the larger stamp."""
    return entry if known is None or stamp(entry) > stamp(known) else known


def latest_per_key(
    entries: Iterable[Entry], key: Callable[[Entry], str], limit: int
) -> list[Entry]:
    """Return a bounded set: of each key the newest entry, of those `limit`, newest first.

    What is dropped once could never come back: the entries that displaced it only get newer.
    """
    found: dict[str, Entry] = {}
    for entry in entries:
        name = key(entry)
        known = found.get(name)
        if known is None or stamp(entry) > stamp(known):
            found[name] = entry
    return sorted(found.values(), key=stamp, reverse=True)[:limit]


def add_entry(
    known: Sequence[Entry], entry: Entry, key: Callable[[Entry], str], limit: int
) -> list[Entry]:
    """Return the bounded set `known` with one more entry."""
    if known and stamp(entry) <= stamp(known[0]):
        return latest_per_key([*known, entry], key, limit)
    name = key(entry)  # the newest: the others stay in their order
    return [entry, *(other for other in known if key(other) != name)][:limit]


def has_seen(ring: bytes, name: str) -> bool:
    return place_in(ring, name) >= 0


def place_in(ring: bytes, name: str) -> int:
    """Return the place of an id in the ring's order, -1 if the ring doesn't have it."""
    digest = _digest(name)
    at = ring.find(digest)
    while at >= 0 and at % _DIGEST:
        at = ring.find(digest, at + 1)
    return at


def remember(ring: bytes, name: str, limit: int) -> bytes:
    """Return the ring with one more id, without the oldest ones beyond `limit` ids."""
    return (ring + _digest(name))[-limit * _DIGEST :]


@lru_cache(KEPT_DIGESTS)
def _digest(name: str) -> bytes:
    return hashlib.blake2b(name.encode(), digest_size=_DIGEST).digest()
