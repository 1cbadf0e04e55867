"""Sends, newest first, read in narrow windows of an index that widen when they hold little.

Server-side sorting is slow on some engines (docs/design.md 6), and an hour may have a million
sends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sender_service.models.send import EVER, SendRow
from sender_service.store.send_codec import ROW_FIELDS, decode_row
from shared.mongo.client import Database, Document, translate_mongo_errors
from shared.mongo.collections import SENDS
from shared.mongo.whole_reads import read_all

FIRST_WINDOW = timedelta(seconds=8)
WIDER = 8  # times, where a window brought little
SHORTEST = timedelta(milliseconds=1)  # what a stored date can hold
MOST_READ = 1_000  # sends a window and app: with more it is narrowed
MOST_LOOKED = 5_000  # sends in all: then the answer says where to go on


@dataclass(frozen=True)
class SendQuery:
    """A query for sends of these apps before a moment. `fits` checks what no index covers."""

    apps: Sequence[str]
    before: datetime
    campaign: str | None = None
    fits: Callable[[SendRow], bool] = lambda _: True


@dataclass
class SendPage:
    """Sends, newest first. `going_on`: `before` of the next page; None at the end."""

    sends: list[SendRow]
    going_on: datetime | None = None


class SendList:
    def __init__(self, database: Database) -> None:
        self._sends = database[SENDS.name]

    async def newest(self, query: SendQuery, limit: int) -> SendPage:
        """Return at most `limit` sends, or all of one millisecond. Raises StoreUnavailable."""
        found: list[SendRow] = []
        until, width, looked = query.before, FIRST_WINDOW, 0
        while until > EVER and len(found) <= limit:
            if looked >= MOST_LOOKED:
                return _cut(found, limit, until)
            start = max(EVER, until - width) if width < until - EVER else EVER
            some = await self._window(query, start, until)
            if some is None and width > SHORTEST:
                width = max(SHORTEST, min(width, until - start) / WIDER)
                continue
            some = some or []
            looked += len(some)
            found += sorted(filter(query.fits, some), key=_order, reverse=True)
            width = width * WIDER if len(some) < MOST_READ / WIDER else width
            until = start
        return _cut(found, limit, None)

    async def _window(
        self, query: SendQuery, start: datetime, until: datetime
    ) -> list[SendRow] | None:
        """Return the sends created in [start, until); None if they are too many for one read."""
        found: list[Document] = []
        for app in query.apps:
            criteria: Document = {"app": app, "createdAt": {"$gte": start, "$lt": until}}
            if query.campaign is not None:
                criteria["campaign"] = query.campaign
            with translate_mongo_errors():
                found += await read_all(self._sends, criteria, ROW_FIELDS, limit=MOST_READ + 1)
            if len(found) > MOST_READ and until - start > SHORTEST:
                return None
        return list(map(decode_row, found))


def _cut(found: list[SendRow], limit: int, until: datetime | None) -> SendPage:
    """Cut the list between two milliseconds, because the next page starts before one."""
    if len(found) <= limit:
        return SendPage(found, until)
    last = found[limit].created_at
    whole = [send for send in found if send.created_at > last]
    whole = whole or [send for send in found if send.created_at == last]
    return SendPage(whole, whole[-1].created_at)


def _order(send: SendRow) -> tuple[datetime, str]:
    return send.created_at, send.id
