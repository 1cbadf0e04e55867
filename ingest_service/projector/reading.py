"""Reads of projections from MongoDB: by key, within a limit of memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import Any, TypeVar, cast

from ingest_service.projector.player import LedgerEntry
from ingest_service.projector.player_codec import decode_entry
from ingest_service.projector.visitor import Visitor
from ingest_service.projector.visitor_codec import decode_head, decode_visitor
from shared.documents import visitor as documents
from shared.documents.merge import Tombstone
from shared.documents.player import Player
from shared.documents.profile import Profile
from shared.mongo.client import IN_LIMIT, Collection, Database, in_batches, translate_mongo_errors
from shared.mongo.collections import ERASED, PLAYERS, PROFILES, VISITORS
from shared.mongo.whole_reads import read_all, read_each, read_within, walk_index

Stored = TypeVar("Stored")

BULK = ("viewed", "categories", "purchases", "basketChanges", "basket", "tags")  # of a contribution
WITHOUT_BULK: dict[str, int] = {
    **{f"epochs.contribution.{name}": 0 for name in BULK},
    **dict.fromkeys(("seenEvents", "seenBoundaries", "statusHistory", "players", "erased"), 0),
}
OWNERS = {
    "app": 1, "visitor": 1, "persons": 1, "epochs.openedBy": 1, "epochs.login": 1, "epochs.anonymousId": 1,
    "epochs.identifiedAt": 1, "epochs.proven": 1, "epochs.contribution.firstSeenAt": 1,
}  # fmt: skip


class ProjectionReader:
    """Reader of projections. Every method raises StoreUnavailable."""

    def __init__(self, database: Database, prefix: str = "") -> None:
        self._database = database
        self._prefix = prefix

    async def visitors_within(
        self, ids: Iterable[str], most: int
    ) -> tuple[dict[str, Visitor], set[str]]:
        found, left = await self._within(documents.Visitor, VISITORS.name, ids, most)
        return {name: decode_visitor(visitor) for name, visitor in found.items()}, left

    async def each_visitor(self, ids: Iterable[str]) -> AsyncIterator[Visitor]:
        with translate_mongo_errors():
            async for found in read_each(self._collection(VISITORS.name), sorted(set(ids))):
                yield decode_visitor(cast(documents.Visitor, found))

    async def heads(self, ids: Iterable[str]) -> dict[str, Visitor]:
        return await self._heads("_id", ids)

    async def heads_of(self, people: Iterable[str], limit: int = 0) -> dict[str, Visitor]:
        return await self._heads("persons", people, limit)

    async def browsers_of_person(self, person: str) -> AsyncIterator[Visitor]:
        visitors, owned = self._collection(VISITORS.name), {"persons": person}
        with translate_mongo_errors():
            async for found in walk_index(visitors, owned, OWNERS, at_once=IN_LIMIT):
                yield decode_head(cast(documents.VisitorHead, found))

    async def players(self, ids: Iterable[str]) -> dict[str, LedgerEntry]:
        return _entries(await self._find(Player, PLAYERS.name, _queries("_id", ids)))

    async def players_of(
        self, app: str, people: Iterable[str], limit: int = 0
    ) -> dict[str, LedgerEntry]:
        owned = ({"app": app, **query} for query in _queries("person", people))
        return _entries(await self._find(Player, PLAYERS.name, owned, limit=limit))

    async def profiles_within(
        self, ids: Iterable[str], most: int
    ) -> tuple[dict[str, Profile], set[str]]:
        return await self._within(Profile, PROFILES.name, ids, most)

    async def tombstones(self, people: Iterable[str]) -> dict[str, Tombstone]:
        found: dict[str, Tombstone] = {}
        with translate_mongo_errors():
            for query in in_batches("_id", sorted(set(people))):
                async for tombstone in self._database[ERASED.name].find(query):
                    found[tombstone["_id"]] = cast(Tombstone, tombstone)
        return found

    def _collection(self, name: str) -> Collection:
        return self._database[self._prefix + name]

    async def _heads(self, field: str, values: Iterable[str], limit: int = 0) -> dict[str, Visitor]:
        kind, queries = documents.VisitorHead, _queries(field, values)
        found = await self._find(kind, VISITORS.name, queries, limit=limit, projection=WITHOUT_BULK)
        return {name: decode_head(head) for name, head in found.items()}

    async def _within(
        self, kind: type[Stored], collection: str, ids: Iterable[str], most: int
    ) -> tuple[dict[str, Stored], set[str]]:
        with translate_mongo_errors():
            names = sorted(set(ids))
            found, left = await read_within(self._collection(collection), names, most)
        return cast(dict[str, Stored], found), set(left)

    async def _find(
        self,
        kind: type[Stored],
        collection: str,
        queries: Iterable[dict[str, object]],
        *,
        limit: int = 0,
        projection: dict[str, int] | None = None,
    ) -> dict[str, Stored]:
        """Return the documents by id; `limit` 0 is no limit."""
        found: dict[str, Any] = {}
        with translate_mongo_errors():
            for query in queries:
                every = await read_all(self._collection(collection), query, projection, limit=limit)
                found |= {document["_id"]: document for document in every}
        return found


def _queries(field: str, values: Iterable[str]) -> Iterator[dict[str, object]]:
    """Yield queries that together ask for `field` being one of the values."""
    for some in chunks(sorted(set(values))):
        yield {field: some[0] if len(some) == 1 else {"$in": some}}


def _entries(found: Mapping[str, Player]) -> dict[str, LedgerEntry]:
    return {name: decode_entry(player) for name, player in found.items()}


def chunks(values: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(values), IN_LIMIT):
        yield values[start : start + IN_LIMIT]
