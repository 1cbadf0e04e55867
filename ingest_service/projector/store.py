"""The store of projections: reads by key, conditional writes in bulk."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from pymongo import DeleteMany, DeleteOne, InsertOne, ReplaceOne, UpdateOne
from pymongo.errors import BulkWriteError

from ingest_service.projector.meta import increment_erasures
from ingest_service.projector.player import LedgerEntry
from ingest_service.projector.player_codec import encode_entry
from ingest_service.projector.reading import ProjectionReader, chunks
from ingest_service.projector.visitor import Visitor
from ingest_service.projector.visitor_codec import encode_visitor
from shared.documents.merge import Merge, Tombstone
from shared.documents.profile import Profile
from shared.errors import StoreUnavailable
from shared.mongo.client import (
    Database,
    if_unchanged,
    retry_on_conflict,
    translate_mongo_errors,
)
from shared.mongo.collections import ERASED, MERGES, PLAYERS, PROFILES, VISITORS
from shared.mongo.errors import is_lost_race


class ConcurrentWrite(StoreUnavailable):
    """Another projector wrote one of these documents meanwhile; the batch is to be repeated."""

    code = "concurrent_write"


@dataclass(frozen=True)
class ErasedMerges:
    """A person's records of merges up to a time, to be erased with the person."""

    app: str
    person: str
    until: datetime


class Projections(Protocol):
    """The store of projections. Documents have a `rev`, 0 when new.

    A write succeeds only while the stored `rev` is the document's. Every method raises StoreUnavailable;
    saving ones raise ConcurrentWrite too. Some of the documents may be written then; a repetition of the
    batch completes it.
    """

    async def visitors_within(
        self, ids: Iterable[str], most: int
    ) -> tuple[dict[str, Visitor], set[str]]:
        """Return as many visitors as `most` bytes hold, at least one, and the ids of the others."""
        ...

    def each_visitor(self, ids: Iterable[str]) -> AsyncIterator[Visitor]:
        """Yield the visitors, sorted by id, one after another, so that memory holds one."""
        ...

    async def heads(self, ids: Iterable[str]) -> dict[str, Visitor]:
        """Return visitors without their large fields (`BULK`), to be read only."""
        ...

    async def heads_of(self, people: Iterable[str], limit: int = 0) -> dict[str, Visitor]: ...

    def browsers_of_person(self, person: str) -> AsyncIterator[Visitor]:
        """Yield each browser with an epoch of the person: its visitor id, and its epochs' owners."""
        ...

    async def players(self, ids: Iterable[str]) -> dict[str, LedgerEntry]: ...

    async def players_of(
        self, app: str, people: Iterable[str], limit: int = 0
    ) -> dict[str, LedgerEntry]: ...

    async def profiles_within(
        self, ids: Iterable[str], most: int
    ) -> tuple[dict[str, Profile], set[str]]:
        """Return as many profiles as `most` bytes hold, at least one, and the ids of the others."""
        ...

    async def save_visitors(self, visitors: Sequence[Visitor]) -> None: ...

    async def save_players(self, entries: Sequence[LedgerEntry]) -> None: ...

    async def save_merges(
        self,
        documents: Sequence[Merge],
        erased_persons: Iterable[str] = (),
        erased_merges: Iterable[ErasedMerges] = (),
    ) -> None:
        """Save merges, then delete those of `erased_persons`, and `erased_merges`."""

    async def save_profiles(
        self, documents: Sequence[Profile], emptied: Sequence[Profile]
    ) -> None: ...

    async def save_tombstones(self, tombstones: Sequence[Tombstone]) -> None:
        """Save the tombstones of erased persons; the latest time wins."""

    async def tombstones(self, people: Iterable[str]) -> dict[str, Tombstone]:
        """Return the tombstones of these persons, by id."""
        ...

    async def note_erasure(self) -> None:
        """Count an erasure, so that copies from before it are replaced."""


class MongoProjections(ProjectionReader):
    """Projections in MongoDB; a prefix names collections beside the live ones.

    A new document's `rev` begins above `base`, so that a writer of another generation of the
    collections never finds its own number.
    """

    def __init__(self, database: Database, prefix: str = "", base: int = 0) -> None:
        super().__init__(database, prefix)
        self._base = base

    async def save_visitors(self, visitors: Sequence[Visitor]) -> None:
        await self._write(VISITORS.name, [self._save(encode_visitor(v)) for v in visitors])

    async def save_players(self, entries: Sequence[LedgerEntry]) -> None:
        await self._write(PLAYERS.name, [self._save(encode_entry(e)) for e in entries])

    async def save_merges(
        self,
        documents: Sequence[Merge],
        erased_persons: Iterable[str] = (),
        erased_merges: Iterable[ErasedMerges] = (),
    ) -> None:
        """Save merges: each is written once, and later only marked as undone."""
        writes: list[Any] = [_save_merge(d) for d in documents]
        writes += [
            DeleteMany({"_id": {"$in": some}}) for some in chunks(sorted(set(erased_persons)))
        ]
        writes += [
            DeleteMany({"app": e.app, "person": e.person, "at": {"$lte": e.until}})
            for e in erased_merges
        ]
        # In this order: what is saved and erased in one batch is to be erased.
        await self._write(MERGES.name, writes, counted=False, ordered=True)

    async def save_profiles(self, documents: Sequence[Profile], emptied: Sequence[Profile]) -> None:
        writes: list[Any] = [self._save(d) for d in documents]
        writes += [DeleteOne(if_unchanged(d)) for d in emptied]
        await self._write(PROFILES.name, writes)

    async def save_tombstones(self, tombstones: Sequence[Tombstone]) -> None:
        """Save tombstones, also of a replay, in the live collection."""
        erased = self._database[ERASED.name]
        last = {t["_id"]: t for t in sorted(tombstones, key=lambda t: (t["_id"], t["at"]))}
        writes = [_save_tombstone(tombstone) for tombstone in last.values()]
        if writes:
            with translate_mongo_errors():
                await retry_on_conflict(lambda: erased.bulk_write(writes, ordered=False))

    async def note_erasure(self) -> None:
        with translate_mongo_errors():
            await retry_on_conflict(lambda: increment_erasures(self._database))

    def _save(self, document: Mapping[str, Any]) -> Any:
        rev = document["rev"]
        if rev == 0:
            return InsertOne({**document, "rev": self._base + 1})
        return ReplaceOne(if_unchanged(document), {**document, "rev": rev + 1})

    async def _write(
        self,
        collection: str,
        writes: Sequence[Any],
        *,
        counted: bool = True,
        ordered: bool = False,
    ) -> None:
        if not writes:
            return
        try:
            with translate_mongo_errors():
                done = await self._collection(collection).bulk_write(writes, ordered=ordered)
        except BulkWriteError as exc:
            if is_lost_race(exc):
                raise ConcurrentWrite("another projector was faster") from exc
            raise
        if counted and done.inserted_count + done.matched_count + done.deleted_count < len(writes):
            raise ConcurrentWrite("another projector was faster")


def _save_merge(document: Merge) -> Any:
    undone = {"$set": {"undone": document["undone"]}} if "undone" in document else {}
    first = {k: v for k, v in document.items() if k != "undone"}
    return UpdateOne({"_id": document["_id"]}, {"$setOnInsert": first, **undone}, upsert=True)


def _save_tombstone(tombstone: Tombstone) -> UpdateOne:
    first = {k: v for k, v in tombstone.items() if k not in ("_id", "at")}
    change = {"$max": {"at": tombstone["at"]}, "$setOnInsert": first}
    return UpdateOne({"_id": tombstone["_id"]}, change, upsert=True)
