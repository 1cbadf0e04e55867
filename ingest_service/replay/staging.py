"""Staged collections, built beside the live ones, and the swap of both."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from pymongo import InsertOne, ReplaceOne, UpdateOne
from pymongo.errors import BulkWriteError, OperationFailure

from ingest_service.projector.replay_state import ReplayState
from ingest_service.projector.store import MongoProjections
from ingest_service.snapshot.files import COPIED
from shared.errors import Conflict
from shared.mongo.client import IN_LIMIT, Database, Document, index_model, translate_mongo_errors
from shared.mongo.collections import INGEST, PLAYERS, PROFILES, indexes_of
from shared.mongo.errors import duplicates_of
from shared.mongo.whole_reads import walk

STAGING_PREFIX = "replay_"
STAGING_BATCH_DOCUMENTS = 500
NOT_THERE = 26
# Fields by the projector's clock, not the log's: kept if all other fields are equal.
OF_THE_CLOCK = {PROFILES.name: ("changedAt",), PLAYERS.name: ("changedAt", "previous")}
UNCOMPARED_FIELDS = {"rev"}


class StagedProjections(MongoProjections):
    """Staged projections, where a repeated erasure makes no snapshot stale."""

    async def note_erasure(self) -> None:
        return


class Staging:
    """Collections named by their run, so that no other run uses them. Raises StoreUnavailable."""

    def __init__(self, database: Database, run: str, base: int) -> None:
        self._database = database
        self._base = base
        self._prefix = staged_by(run)
        self.store = StagedProjections(database, self._prefix, base)

    async def begin(self) -> None:
        """Create the empty collections with their indexes."""
        with translate_mongo_errors():
            for name in COPIED:
                await self._database[self._prefix + name].create_index([("app", 1)])
            for name, indexes in indexes_of(INGEST):
                if name in COPIED:
                    models = [index_model(index) for index in indexes]
                    await self._database[self._prefix + name].create_indexes(models)

    async def check(self) -> None:
        """Check that all staged collections exist. Raises Conflict."""
        with translate_mongo_errors():
            there = set(await self._database.list_collection_names())
        missing = [name for name in COPIED if self._prefix + name not in there]
        if missing:
            raise Conflict(
                f"rebuilt collections are missing ({', '.join(missing)}): the live collections stay",
                code="staging_lost",
            )

    async def drop(self) -> None:
        with translate_mongo_errors():
            for name in COPIED:
                await self._database[self._prefix + name].drop()

    async def fill(self, documents: Iterable[tuple[str, Document]]) -> int:
        count = 0
        for batch in _batches(documents, STAGING_BATCH_DOCUMENTS):
            by_name: dict[str, list[Document]] = {}
            for name, document in batch:
                if "rev" in document:
                    document = {**document, "rev": self._base + 1}
                by_name.setdefault(name, []).append(document)
            with translate_mongo_errors():
                for name, found in by_name.items():
                    await self._insert(name, found)
            count += len(batch)
        return count

    async def _insert(self, name: str, documents: list[Document]) -> None:
        """Insert documents; of one that was copied twice the later copy wins."""
        # A document that was removed and came back while it was copied, was copied twice.
        collection = self._database[self._prefix + name]
        try:
            await collection.bulk_write([InsertOne(d) for d in documents], ordered=False)
        except BulkWriteError as exc:
            again = [documents[index] for index in duplicates_of(exc)]
            await collection.bulk_write(
                [ReplaceOne({"_id": d["_id"]}, d, upsert=True) for d in again]
            )

    async def copy_clock_fields(self) -> int:
        """Copy the fields by the live projector's clock; return the number of documents that differ."""
        different = 0
        for name, fields in OF_THE_CLOCK.items():
            batch: list[Document] = []
            with translate_mongo_errors():
                staged = self._database[self._prefix + name]
                async for document in walk(staged, {}, at_once=IN_LIMIT):
                    batch.append(document)
                    if len(batch) == IN_LIMIT:
                        different += await self._copy_clock_fields(name, fields, batch)
                        batch = []
                different += await self._copy_clock_fields(name, fields, batch)
        return different

    async def _copy_clock_fields(
        self, name: str, fields: tuple[str, ...], batch: list[Document]
    ) -> int:
        if not batch:
            return 0
        staged = {document["_id"]: document for document in batch}
        live = {
            d["_id"]: d async for d in self._database[name].find({"_id": {"$in": list(staged)}})
        }
        pairs = [(key, live.get(key, {}), document) for key, document in staged.items()]
        same = [pair for pair in pairs if _bare(pair[1], fields) == _bare(pair[2], fields)]
        writes = [
            UpdateOne({"_id": key}, {"$set": {f: known[f] for f in fields}})
            for key, known, document in same
            if any(known[f] != document[f] for f in fields)
        ]
        if writes:
            await self._database[self._prefix + name].bulk_write(writes, ordered=False)
        return len(batch) - len(same)


def staged_by(run: str) -> str:
    return f"{STAGING_PREFIX}{run}_"


async def swap(database: Database, run: str) -> None:
    """Rename the staged collections to the live ones; safe to repeat after a crash."""
    with translate_mongo_errors():
        for name in COPIED:
            try:
                await database[staged_by(run) + name].rename(name, dropTarget=True)
            except OperationFailure as exc:
                if exc.code != NOT_THERE:
                    raise


async def drop_leftovers(
    database: Database, current: Callable[[], Awaitable[ReplayState]]
) -> list[str]:
    """Drop the collections of ended runs; return their names."""
    # Listed first: the run of a listed collection has begun. So if the document names another run, the
    # first one has ended, and no run's name is used again.
    with translate_mongo_errors():
        there = [n for n in await database.list_collection_names() if n.startswith(STAGING_PREFIX)]
        if not there:
            return []
        mine = staged_by(str((await current()).run))
        ended = [name for name in there if not name.startswith(mine)]
        for name in ended:
            await database[name].drop()
    return ended


def _bare(document: Document, fields: tuple[str, ...]) -> Document:
    return {k: v for k, v in document.items() if k not in UNCOMPARED_FIELDS and k not in fields}


def _batches(documents: Iterable[Any], size: int) -> Iterator[list[Any]]:
    left = iter(documents)
    while batch := list(islice(left, size)):
        yield batch
