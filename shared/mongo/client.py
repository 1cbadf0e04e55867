"""Client of MongoDB: it alone chooses the driver."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient, InsertOne, ReplaceOne, UpdateOne, WriteConcern
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import BulkWriteError, ConfigurationError, PyMongoError
from pymongo.operations import IndexModel

from shared.errors import Rejected
from shared.mongo.collections import APPS, Index, indexes_of
from shared.mongo.errors import blame_database as blame_database
from shared.mongo.errors import is_lost_race
from shared.mongo.errors import translate_mongo_errors as translate_mongo_errors
from shared.settings import MongoSettings

Document = dict[str, Any]
Database = AsyncDatabase[Document]
Collection = AsyncCollection[Document]
Write = InsertOne[Document] | UpdateOne | ReplaceOne[Document]
T = TypeVar("T")

RACE_TRIES = 8
IN_LIMIT = 100  # values a `$in`: more is slow on some engines (docs/design.md 6)


def in_batches(field: str, values: Sequence[str], at_once: int = IN_LIMIT) -> Iterator[Document]:
    """Yield queries that together ask for `field` being one of the values, some values each."""
    for start in range(0, len(values), at_once):
        yield {field: {"$in": list(values[start : start + at_once])}}


async def retry_on_conflict(operation: Callable[[], Awaitable[T]]) -> T:
    """Repeat an upsert that lost a race for a new key (11000 or 112, by the server's make)."""
    for attempt in range(RACE_TRIES):
        try:
            return await operation()
        except PyMongoError as exc:
            if attempt == RACE_TRIES - 1 or not is_lost_race(exc):
                raise
            await asyncio.sleep(random.uniform(0, 0.01 * 2**attempt))
    raise AssertionError("unreachable")


async def write_conditionally(collection: Collection, writes: Sequence[Write]) -> int:
    """Write inserts and conditional updates in bulk; return how many took effect.

    An insert of what another writer inserted meanwhile doesn't count: read again, decide again.
    """
    try:
        result = await collection.bulk_write(list(writes), ordered=False)
    except BulkWriteError as exc:
        if not is_lost_race(exc):
            raise
        details = exc.details or {}
        return int(details.get("nInserted", 0)) + int(details.get("nMatched", 0))
    return result.inserted_count + result.matched_count


@asynccontextmanager
async def open_database(settings: MongoSettings, name: str) -> AsyncIterator[Database]:
    """Open the database; every write is acknowledged by a majority's journal. Connects when first used.

    Raises Rejected where the setting is no address.
    """
    # Motor and PyMongo's async client have the same methods where we use them (no `aggregate`, which
    # differs); the type is PyMongo's.
    client = _create_client(settings, name)
    try:
        yield cast(
            Database,
            client.get_database(settings.database, write_concern=WriteConcern("majority", j=True)),
        )
    finally:
        closing = client.close()
        if closing is not None:
            await closing


def _create_client(settings: MongoSettings, name: str) -> Any:
    kind = AsyncIOMotorClient if settings.driver == "motor" else AsyncMongoClient
    try:
        return kind(
            settings.uri.get_secret_value(),
            appname=name,
            tz_aware=True,
            serverSelectionTimeoutMS=settings.timeout_ms,
            socketTimeoutMS=settings.timeout_ms * 4,
            connectTimeoutMS=settings.timeout_ms,
            maxPoolSize=32,
        )
    except (ConfigurationError, ValueError) as exc:  # the driver's text may name the password
        raise Rejected(
            "CARILLON_MONGO__URI isn't an address of MongoDB that can be used: it begins with"
            f" mongodb:// or mongodb+srv:// and names a host ({type(exc).__name__})",
            code="mongo_uri",
        ) from None


def if_unchanged(document: Mapping[str, Any]) -> Document:
    """Return the filter of a write that counts only while `rev` is the one read."""
    # `$all` of one value is equality. SecantusDB looks for an index that serves two equalities, in all
    # of the collection's, before it takes the `_id`; an operator spares it most of that (a tenth to a
    # quarter of a write, `docs/decisions/0015`). Elsewhere it makes no difference.
    return {"_id": document["_id"], "rev": {"$all": [document["rev"]]}}


async def ping(database: Database) -> None:
    """Raise StoreUnavailable unless the server answers a query."""
    # A server that hangs in its storage may still answer MongoDB's own ping.
    with blame_database():
        await database[APPS.name].find_one({"_id": ""}, {"_id": 1})


async def ensure_indexes(database: Database, service: str) -> None:
    """Create the indexes of the collections that this service writes. Idempotent.

    One command a collection: some engines take a second for each, whatever it is to make.
    """
    with blame_database():
        for collection, indexes in indexes_of(service):
            await database[collection].create_indexes([index_model(index) for index in indexes])


def index_model(index: Index) -> IndexModel:
    """Return the index as the driver takes it, under the name that it has by default."""
    expiry = {"expireAfterSeconds": 0} if index.expires else {}
    return IndexModel(list(index.keys), unique=index.unique, **expiry)
