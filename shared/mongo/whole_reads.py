"""Reads of more than one answer that must be whole, while others write.

A cursor without an order promises little. A document that is written between two of its answers may
be missed, or come twice. So every read here has one of three shapes: one answer, exact `_id`s, or
the order of `_id`, which no write changes. Documents that are there from begin to end come exactly once.

One answer is requested first where it mostly suffices: an order costs some engines as much again as
the read. `docs/decisions/0049` has the figures.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Sequence
from typing import Any

import bson
from bson.raw_bson import RawBSONDocument

from shared.mongo.client import IN_LIMIT, Collection, Document

ONE_ANSWER = 1_000  # documents; servers end an answer at 16 MB, too
BY_ID = [("_id", 1)]


async def read_all(
    collection: Collection, query: Document, fields: Document | None = None, *, limit: int = 0
) -> list[Document]:
    """Return all that match, at most `limit` of them (0: any number)."""
    size = limit + 1 if limit else ONE_ANSWER
    cursor = collection.find(query, fields).limit(limit).batch_size(size)
    found = await _in_one_answer(cursor)
    if found is None:
        found = [d async for d in collection.find(query, fields).sort(BY_ID).limit(limit)]
    return found


async def aggregate_all(collection: Collection, stages: Sequence[Document]) -> list[Document]:
    """Return all documents that the stages select. The stages may only select, or count."""
    found = await _in_one_answer(await _aggregate(collection, stages))
    if found is None:
        ordered = await _aggregate(collection, [*stages, {"$sort": {"_id": 1}}])
        found = [d async for d in ordered]
    return found


async def walk(
    collection: Collection, query: Document, fields: Document | None = None, *, at_once: int
) -> AsyncIterator[Document]:
    """Yield all that match, in the order of `_id`, `at_once` in memory."""
    # Another index would be sorted in memory, and its entries may move under the reader.
    cursor = collection.find(query, fields).sort(BY_ID).hint(BY_ID)
    async for document in cursor.batch_size(at_once):
        yield document


async def walk_index(
    collection: Collection, query: Document, fields: Document | None = None, *, at_once: int
) -> AsyncIterator[Document]:
    """Yield all that match a query that an index serves: read their ids, then some at a time."""
    ids = [d["_id"] for d in await read_all(collection, query, {"_id": 1})]
    step = min(at_once, IN_LIMIT)
    for start in range(0, len(ids), step):
        selected = {"$and": [{"_id": {"$in": ids[start : start + step]}}, query]}
        async for document in collection.find(selected, fields).sort(BY_ID):
            yield document


async def read_within(
    collection: Collection, ids: Sequence[str], most: int
) -> tuple[dict[str, Document], list[str]]:
    """Return as many documents by id as `most` bytes hold, at least one; and the ids not read."""
    found: dict[str, Document] = {}
    taken = 0
    for start in range(0, len(ids), IN_LIMIT):
        async for raw in _raw(collection, ids[start : start + IN_LIMIT]):
            name, taken = str(raw["_id"]), taken + len(raw.raw)
            if found and taken > most:
                behind = [i for i in ids[start : start + IN_LIMIT] if i.encode() >= name.encode()]
                return found, [*behind, *ids[start + IN_LIMIT :]]
            found[name] = _decoded(collection, raw)
    return found, []


async def read_each(collection: Collection, ids: Sequence[str]) -> AsyncIterator[Document]:
    """Yield the documents of these ids, one decoded at a time."""
    for start in range(0, len(ids), IN_LIMIT):
        async for raw in _raw(collection, ids[start : start + IN_LIMIT]):
            yield _decoded(collection, raw)


def _raw(collection: Collection, ids: Sequence[str]) -> Any:
    """Return a cursor of raw documents."""
    # Their size is known before they are made objects, of ten times the size.
    options: Any = collection.codec_options.with_options(document_class=RawBSONDocument)
    bare = collection.with_options(codec_options=options)
    return bare.find({"_id": {"$in": list(ids)}}).sort(BY_ID)


def _decoded(collection: Collection, raw: RawBSONDocument) -> Document:
    return bson.decode(raw.raw, collection.codec_options)


async def _in_one_answer(cursor: Any) -> list[Document] | None:
    """Return what the cursor brings; None where the first answer isn't the only one."""
    found: list[Document] = []
    async for document in cursor:
        if not found and cursor.cursor_id:
            await cursor.close()
            return None
        found.append(document)
    return found


async def _aggregate(collection: Collection, stages: Sequence[Document]) -> Any:
    """Return the cursor of an aggregation."""
    # Motor answers with a cursor, PyMongo's own client with a promise of one.
    cursor: Any = collection.aggregate(list(stages), batchSize=ONE_ANSWER)
    return await cursor if inspect.isawaitable(cursor) else cursor
