"""The proxy itself: true answers pass, others are what a server would say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr
from pymongo import InsertOne
from pymongo.errors import BulkWriteError, OperationFailure

from shared.mongo.client import Database, open_database
from shared.settings import Settings
from tests.support.mongo_proxy import INVENTED, Decide, MongoProxy, Refusal


@asynccontextmanager
async def _opened(settings: Settings, proxy: MongoProxy) -> AsyncIterator[Database]:
    mongo = settings.mongo.model_copy(update={"uri": SecretStr(proxy.uri)})
    async with open_database(mongo, "test") as database:
        yield database


def _first(command: str, refusal: Refusal) -> Decide:
    """Refuses the first of these commands."""
    left = [refusal]
    return lambda request: left.pop() if left and request.command == command else None


async def test_what_is_not_refused_passes(settings: Settings, mongo_uri: str) -> None:
    with MongoProxy.before(mongo_uri) as proxy:
        async with _opened(settings, proxy) as database:
            await database["a"].insert_many([{"_id": n} for n in range(300)])
            assert [d["_id"] async for d in database["a"].find({}).batch_size(50)] == [*range(300)]
    assert not proxy.hits


@pytest.mark.parametrize(("how", "stored"), [("refuse", 0), ("refuse_after", 1)])
async def test_an_answer_is_refused_before_or_after_the_action(
    settings: Settings, mongo_uri: str, how: str, stored: int
) -> None:
    refusal = Refusal(18, "AuthenticationFailed", how)  # type: ignore[arg-type]
    with MongoProxy.before(mongo_uri, _first("insert", refusal)) as proxy:
        async with _opened(settings, proxy) as database:
            with pytest.raises(OperationFailure) as caught:
                await database["a"].insert_one({"_id": 1})
            assert caught.value.code == 18
            assert await database["a"].count_documents({}) == stored
            await database["a"].insert_one({"_id": 2})


async def test_a_bulk_is_done_by_half(settings: Settings, mongo_uri: str) -> None:
    with MongoProxy.before(mongo_uri, _first("insert", Refusal(how="half"))) as proxy:
        async with _opened(settings, proxy) as database:
            with pytest.raises(BulkWriteError) as caught:
                await database["a"].bulk_write(
                    [InsertOne({"_id": n}) for n in range(5)], ordered=False
                )
            details = caught.value.details or {}
            found = [(f["index"], f["code"]) for f in details["writeErrors"]]
            assert found == [(2, INVENTED), (3, INVENTED), (4, INVENTED)]
            assert await database["a"].count_documents({}) == 2
