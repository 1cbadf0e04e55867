"""Pages of a scenario's runs that wait, among many that are over."""

from __future__ import annotations

from shared.mongo.client import Collection, Document, translate_mongo_errors
from shared.mongo.whole_reads import aggregate_all


async def read_waiting(
    runs: Collection, waiting: Document, query: Document, limit: int
) -> list[Document]:
    """Return those of the waiting runs that match, in the order of their ids, at most `limit`.

    Runs that are over are a hundred days' and aren't read. Raises StoreUnavailable.
    """
    # Two stages: the first has an index's fields alone, else some engines read the whole collection.
    # All of the app that wait are looked at: no index has both scenario and due time.
    stages: list[Document] = [
        {"$match": waiting}, {"$match": query}, {"$sort": {"_id": 1}}, {"$limit": limit},
    ]  # fmt: skip
    with translate_mongo_errors():
        return await aggregate_all(runs, stages)


def ids_of(app: str, scenario: str, after: str = "") -> Document:
    """Return the range of a scenario's run ids, behind `after`."""
    return {"$gt": max(f"{app}:{scenario}:", after), "$lt": f"{app}:{scenario};"}
