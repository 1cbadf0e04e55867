"""All pages of one send, read while they change.

Page numbers have no gaps, so pages are read by id. An index on a changing field could return a page
twice, or not at all.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from sender_service.pages.document import page_id
from shared.mongo.client import IN_LIMIT, Collection, Document, translate_mongo_errors
from shared.mongo.whole_reads import read_all


async def pages_of(
    pages: Collection, send: str, fields: Document | None, *, at_once: int = IN_LIMIT
) -> AsyncIterator[Document]:
    """Yield a send's pages in order. `fields` includes `number`. Raises StoreUnavailable."""
    first, size = 0, 1  # most sends have one page
    while True:
        ids = [page_id(send, n) for n in range(first, first + size)]
        with translate_mongo_errors():
            found = await read_all(pages, {"_id": {"$in": ids}}, fields)
        for page in sorted(found, key=lambda page: int(page["number"])):
            yield page
        if len(found) < size:
            return
        first, size = first + size, min(size * 4, at_once)
