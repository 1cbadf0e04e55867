"""The collections that are built beside the live ones, and how they take their place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from pymongo import InsertOne, UpdateOne

from ingest_service.projector.store import IN_AT_MOST, MongoProjections
from ingest_service.snapshot.files import COPIED
from shared.collections import INGEST, PLAYERS, PROFILES, indexes_of
from shared.mongo import Database, Document, translate_mongo_errors

PREFIX = "replay_"
BATCH = 500
# The projector's own clock, not the log's: kept where all else is as it was.
OF_THE_CLOCK = {PROFILES.name: ("changedAt",), PLAYERS.name: ("changedAt", "previous")}
INNER = {"rev"}


class StagedProjections(MongoProjections):
    """As the live ones; an erasure that is repeated there voids no snapshot."""

    async def note_erasure(self) -> None:
        return


class Staging:
    """Every method raises StoreUnavailable."""

    def __init__(self, database: Database, base: int) -> None:
        self._database = database
        self._base = base
        self.store = StagedProjections(database, PREFIX, base)

    async def begin(self) -> None:
        """Empty, with their indexes."""
        with translate_mongo_errors():
            for name in COPIED:
                await self._database[PREFIX + name].drop()
                await self._database[PREFIX + name].create_index([("app", 1)])
            for name, index in indexes_of(INGEST):
                await self._database[PREFIX + name].create_index(list(index.keys))

    async def fill(self, documents: Iterable[tuple[str, Document]]) -> int:
        count = 0
        for batch in _batches(documents, BATCH):
            by_name: dict[str, list[InsertOne[Document]]] = {}
            for name, document in batch:
                if "rev" in document:
                    document = {**document, "rev": self._base + 1}
                by_name.setdefault(name, []).append(InsertOne(document))
            with translate_mongo_errors():
                for name, writes in by_name.items():
                    await self._database[PREFIX + name].bulk_write(writes, ordered=False)
            count += len(batch)
        return count

    async def settle(self) -> int:
        """Take over what only the live projector's clock knows; returns how many documents differ."""
        different = 0
        for name, fields in OF_THE_CLOCK.items():
            batch: list[Document] = []
            with translate_mongo_errors():
                async for document in self._database[PREFIX + name].find({}):
                    batch.append(document)
                    if len(batch) == IN_AT_MOST:
                        different += await self._settle(name, fields, batch)
                        batch = []
                different += await self._settle(name, fields, batch)
        return different

    async def _settle(self, name: str, fields: tuple[str, ...], batch: list[Document]) -> int:
        if not batch:
            return 0
        wanted = {"_id": {"$in": [document["_id"] for document in batch]}}
        live = {d["_id"]: d async for d in self._database[name].find(wanted)}
        same = [d for d in batch if _bare(d, fields) == _bare(live.get(d["_id"], {}), fields)]
        writes = [
            UpdateOne({"_id": d["_id"]}, {"$set": {f: live[d["_id"]][f] for f in fields}})
            for d in same
            if any(live[d["_id"]][f] != d[f] for f in fields)
        ]
        if writes:
            await self._database[PREFIX + name].bulk_write(writes, ordered=False)
        return len(batch) - len(same)

    async def swap(self) -> None:
        """May be repeated after a crash: what has been renamed isn't there any more."""
        with translate_mongo_errors():
            staged = set(await self._database.list_collection_names())
            for name in COPIED:
                if PREFIX + name in staged:
                    await self._database[PREFIX + name].rename(name, dropTarget=True)


def _bare(document: Document, fields: tuple[str, ...]) -> Document:
    return {k: v for k, v in document.items() if k not in INNER and k not in fields}


def _batches(documents: Iterable[Any], size: int) -> Iterator[list[Any]]:
    left = iter(documents)
    while batch := list(islice(left, size)):
        yield batch
