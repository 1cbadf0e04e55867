"""Ids found by their first letters, as people type them, with bounded index reads.

A range of `_id` is a scan on some engines (docs/design.md 6). So sends, dead letters and profiles
store their first letters in a field of their own.
"""

from __future__ import annotations

from sender_service.models.access import Apps
from shared.ids import HEAD_LETTERS, head_of
from shared.mongo.client import Collection, Database, Document, translate_mongo_errors
from shared.mongo.collections import DEAD_LETTERS, PROFILES, SENDS
from shared.mongo.whole_reads import read_all

MOST_FOUND = 10  # that an answer lists; more only says that the prefix is too short
A_LOOK = 1_000


class PrefixReader:
    """Finds ids in the caller's apps. Every method raises StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._sends = database[SENDS.name]
        self._dead_letters = database[DEAD_LETTERS.name]
        self._profiles = database[PROFILES.name]

    async def sends(self, prefix: str, apps: Apps) -> list[str]:
        return await _by_head(self._sends, prefix, apps)

    async def dead_letters(self, prefix: str, apps: Apps) -> list[str]:
        return await _by_head(self._dead_letters, prefix, apps)

    async def persons(self, prefix: str, apps: Apps) -> list[str]:
        return await _by_head(self._profiles, prefix, apps)


async def _by_head(collection: Collection, prefix: str, apps: Apps) -> list[str]:
    if len(prefix) < HEAD_LETTERS:
        return []
    with translate_mongo_errors():
        query = {"head": head_of(prefix)}
        found = await read_all(collection, query, {"app": 1}, limit=A_LOOK)
    return _allowed_ids([one for one in found if one["_id"].startswith(prefix)], apps)


def _allowed_ids(found: list[Document], apps: Apps) -> list[str]:
    return sorted(str(one["_id"]) for one in found if apps is None or one.get("app") in apps)
