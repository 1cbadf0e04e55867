"""The newest documents of a collection, read in ever wider ranges of time and sorted here.

Server-side sorting is slow on some engines (docs/design.md 6), and the collection may be large.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sender_service.models.access import Apps
from shared.mongo.client import Collection, Document, translate_mongo_errors
from shared.mongo.whole_reads import read_all

WIDTHS = (timedelta(hours=1), timedelta(days=1), timedelta(days=8), timedelta(days=64))


@dataclass(frozen=True)
class Span:
    """A range [since, before) of the date field `field`."""

    field: str
    since: datetime
    before: datetime

    def starts(self) -> list[datetime]:
        """Return the starts of ranges, latest first; the last one is `since`."""
        near = [self.before - width for width in WIDTHS if self.before - self.since > width]
        return [*near, self.since]


def of_apps(apps: Apps) -> Document:
    """Return the query for documents of these apps; None matches all."""
    return {} if apps is None else {"app": {"$in": sorted(apps)}}


async def newest_of(
    collection: Collection,
    query: Document,
    span: Span,
    *,
    limit: int,
    fields: Document | None = None,
) -> list[Document]:
    """Return at most `limit` documents, newest first. Raises StoreUnavailable."""
    found: list[Document] = []
    until = span.before
    for start in span.starts():
        window = {**query, span.field: {"$gte": start, "$lt": until}}
        with translate_mongo_errors():
            some = await read_all(collection, window, fields)
        found += sorted(some, key=lambda d: (d[span.field], str(d["_id"])), reverse=True)
        if len(found) >= limit:
            break
        until = start
    return found[:limit]
