"""A database in which every document that a cursor stands before is written meanwhile.

What MongoDB's protocol promises is kept, and nothing more: an answer is of one moment, the order of
`_id`s is kept by every write, but an unordered cursor finds what was moved twice, or not at all.
Seen so on an engine that speaks the protocol (E1). Answers are small, as they are of large documents.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Self

from shared.mongo.client import Database, Document

ANSWER = 3  # documents
BY_ID = [("_id", 1)]


class Shifting:
    """The real database but for its cursors."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __getitem__(self, name: str) -> ShiftingCollection:
        return ShiftingCollection(self._database[name])


class ShiftingCollection:
    def __init__(self, collection: Any) -> None:
        self._collection = collection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._collection, name)

    def with_options(self, **options: Any) -> ShiftingCollection:
        return ShiftingCollection(self._collection.with_options(**options))

    def find(self, query: Document, projection: Document | None = None) -> ShiftingCursor:
        return ShiftingCursor(self._collection.find(query, projection), ordered=False)

    def aggregate(self, stages: list[Document], **options: Any) -> ShiftingCursor:
        ordered = stages[-1] == {"$sort": {"_id": 1}}
        return ShiftingCursor(self._collection.aggregate(stages, **options), ordered=ordered)


class ShiftingCursor:
    def __init__(self, cursor: Any, *, ordered: bool) -> None:
        self._cursor = cursor
        self._ordered = ordered
        self.cursor_id = 0

    def sort(self, order: Any, direction: int = 1) -> Self:
        self._ordered = order == "_id" or order == BY_ID
        self._cursor = self._cursor.sort(order) if order == BY_ID else self._cursor.sort(order, 1)
        return self

    def hint(self, index: Any) -> Self:
        self._cursor = self._cursor.hint(index)
        return self

    def limit(self, limit: int) -> Self:
        self._cursor = self._cursor.limit(limit)
        return self

    def batch_size(self, size: int) -> Self:
        self._cursor = self._cursor.batch_size(size)
        return self

    async def close(self) -> None:
        await self._cursor.close()

    async def __aiter__(self) -> AsyncIterator[Document]:
        found = [document async for document in self._cursor]
        self.cursor_id = 1 if len(found) > ANSWER else 0
        if not self._ordered and self.cursor_id:
            found = [*found[:ANSWER], found[0], *found[ANSWER + 2 :]]
        for document in found:
            yield document
