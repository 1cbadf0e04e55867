"""Merges of persons, read from the ingest service's collection."""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

from shared.documents.merge import Merge
from shared.mongo.client import Database, in_batches, translate_mongo_errors
from shared.mongo.collections import MERGES
from shared.mongo.whole_reads import read_all


async def read_merges(database: Database, app: str, persons: Collection[str]) -> list[Merge]:
    """Return the merges of these persons into others, with undone ones. Raises StoreUnavailable."""
    found: list[Merge] = []
    with translate_mongo_errors():
        for batch in in_batches("_id", sorted(persons)):
            found += cast(list[Merge], await read_all(database[MERGES.name], {**batch, "app": app}))
    return found
