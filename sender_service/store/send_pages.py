"""The pages of one send, all of them, while they change.

Numbers have no gaps, so pages are asked for by their ids: an index on what changes of a page could
show one twice, or not at all, while it changes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from sender_service.pages.page import page_id
from shared.mongo.client import IN_LIMIT, Collection, Document, translate_mongo_errors
from shared.mongo.whole_reads import read_all


async def pages_of(
    pages: Collection, send: str, shown: Document | None, *, at_once: int = IN_LIMIT
) -> AsyncIterator[Document]:
    """Yield the pages in their order. `shown` names `n`. Raises StoreUnavailable."""
    first, size = 0, 1  # most sends have one page
    while True:
        ids = [page_id(send, n) for n in range(first, first + size)]
        with translate_mongo_errors():
            found = await read_all(pages, {"_id": {"$in": ids}}, shown)
        for page in sorted(found, key=lambda page: int(page["n"])):
            yield page
        if len(found) < size:
            return
        first, size = first + size, min(size * 4, at_once)
