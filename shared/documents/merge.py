"""Records of merges and erasures of persons, as stored."""

from __future__ import annotations

from datetime import datetime
from typing import NotRequired, TypedDict


class EventMark(TypedDict):
    """Time and id of an event."""

    at: datetime
    event: str


class Merge(TypedDict):
    """A merge of an anonymous person into a login's; `_id` and `merged` are the anonymous one's."""

    _id: str
    merged: str
    app: str
    visitor: str
    person: str
    at: datetime
    event: str
    undone: NotRequired[EventMark]


class Tombstone(TypedDict):
    """Mark of an erased person, which keeps older events out. `_id` is the person's."""

    _id: str
    app: str
    at: datetime
    loginHash: str | None
