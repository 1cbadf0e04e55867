"""Queries of a store: servers differ, and a long `$in` is slow on some (docs/design.md 6)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

from bson.codec_options import CodecOptions

from ingest_service.projector.store import MongoProjections
from shared.mongo.client import Database

SLOW_FROM = 101


class QueryRecorder:
    """A database that has nothing and remembers what it was recorder for."""

    def __init__(self) -> None:
        self.ids: list[list[str]] = []

    def __getitem__(self, _: str) -> QueryRecorder:
        return self

    codec_options: CodecOptions[dict[str, Any]] = CodecOptions()

    def with_options(self, **_: Any) -> QueryRecorder:
        return self

    def find(
        self, query: dict[str, Any], projection: dict[str, Any] | None = None
    ) -> QueryRecorder:
        (requested,) = [value for value in query.values() if not isinstance(value, str)]
        self.ids.append(requested["$in"])
        return self

    def limit(self, _: Any) -> QueryRecorder:
        return self

    batch_size = sort = limit

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        nothing: list[dict[str, Any]] = []
        for one in nothing:
            yield one


async def test_many_are_asked_for_some_at_a_time() -> None:
    names = [f"{number:04}" for number in range(250)]
    recorder = QueryRecorder()
    store = MongoProjections(cast(Database, recorder))
    for ask in (
        store.visitors_within(names, 1),
        store.heads(names),
        store.heads_of(names),
        store.players(names),
        store.players_of("demo", names),
        store.profiles_within(names, 1),
        store.tombstones(names),
    ):
        recorder.ids.clear()
        await ask
        assert max(map(len, recorder.ids)) < SLOW_FROM and len(recorder.ids) <= 3
        assert [name for some in recorder.ids for name in some] == names
