"""The only place that chooses the MongoDB driver, and turns its errors into ours."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar, cast

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient, InsertOne, ReplaceOne, UpdateOne, WriteConcern
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConnectionFailure,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    WriteConcernError,
    WTimeoutError,
)

from shared.collections import APPS, Index, indexes_of
from shared.errors import StoreUnavailable
from shared.settings import MongoSettings

Document = dict[str, Any]
Database = AsyncDatabase[Document]
Collection = AsyncCollection[Document]
Write = InsertOne[Document] | UpdateOne | ReplaceOne[Document]
T = TypeVar("T")

DUPLICATE_KEY = 11000
WRITE_CONFLICT = 112
RACE_CODES = frozenset({DUPLICATE_KEY, WRITE_CONFLICT})  # two upserts of one new key met
RACE_TRIES = 8
IN_LIMIT = 100  # values a `$in`: more is slow on some engines (DESIGN 6)
# Not primary, shutting down, stepping down, interrupted, timed out, cut off by a replay's swap: try again.
PASSING_CODES = frozenset(
    {6, 7, 24, 43, 50, 89, 91, 112, 175, 189, 262, 9001, 10107, 11600, 11602, 13435}
)


def is_passing(error: PyMongoError) -> bool:
    """Can a retry help? Decided on classes and codes, never on texts."""
    if isinstance(error, BulkWriteError):
        details = error.details or {}
        failures = details.get("writeErrors", [])
        if not failures:  # all written, but not (yet) by a majority
            return bool(details.get("writeConcernErrors"))
        return all(f.get("code") in PASSING_CODES for f in failures)
    if isinstance(
        error,
        ConnectionFailure | AutoReconnect | ExecutionTimeout | WTimeoutError | WriteConcernError,
    ):
        return True
    return isinstance(error, OperationFailure) and error.code in PASSING_CODES


@contextmanager
def translate_mongo_errors() -> Iterator[None]:
    """Raises StoreUnavailable for what may pass; a mistake of ours stays what it is."""
    try:
        yield
    except PyMongoError as exc:
        if is_passing(exc):
            raise StoreUnavailable(f"MongoDB: {type(exc).__name__}") from None
        if isinstance(exc, BulkWriteError):
            raise _without_documents(exc) from None
        raise


def _without_documents(error: BulkWriteError) -> BulkWriteError:
    """The driver's own text holds the whole documents, and would take them into logs."""
    details = dict(error.details or {})
    failures = details.get("writeErrors", [])
    details["writeErrors"] = [{k: f[k] for k in ("index", "code") if k in f} for f in failures]
    return BulkWriteError({k: v for k, v in details.items() if k != "upserted"})


def one_of(field: str, values: Sequence[str]) -> Iterator[Document]:
    """Queries that together ask for `field` being one of these, some values each."""
    for start in range(0, len(values), IN_LIMIT):
        yield {field: {"$in": list(values[start : start + IN_LIMIT])}}


async def settle_race(operation: Callable[[], Awaitable[T]]) -> T:
    """Repeat an upsert that lost a race for a new key (11000 or 112, by the server's make)."""
    for attempt in range(RACE_TRIES):
        try:
            return await operation()
        except PyMongoError as exc:
            if attempt == RACE_TRIES - 1 or not _lost_race(exc):
                raise
            await asyncio.sleep(random.uniform(0, 0.01 * 2**attempt))
    raise AssertionError("unreachable")


async def write_conditionally(collection: Collection, writes: Sequence[Write]) -> int:
    """A bulk of inserts and conditional updates; returns how many took effect.

    An insert of what somebody else inserted meanwhile counts as one that didn't: read again, decide
    again.
    """
    try:
        result = await collection.bulk_write(list(writes), ordered=False)
    except BulkWriteError as exc:
        if not _lost_race(exc):
            raise
        details = exc.details or {}
        return int(details.get("nInserted", 0)) + int(details.get("nMatched", 0))
    return result.inserted_count + result.matched_count


def _lost_race(error: PyMongoError) -> bool:
    if isinstance(error, BulkWriteError):
        failures = (error.details or {}).get("writeErrors", [])
        return bool(failures) and all(f.get("code") in RACE_CODES for f in failures)
    return isinstance(error, OperationFailure) and error.code in RACE_CODES


@asynccontextmanager
async def open_database(settings: MongoSettings, name: str) -> AsyncIterator[Database]:
    """The database, every write acknowledged by a majority's journal. Connects when first used.

    Motor and PyMongo's async client have the same methods where we use them (no `aggregate`, which
    differs); the type is PyMongo's.
    """
    kind = AsyncIOMotorClient if settings.driver == "motor" else AsyncMongoClient
    client: Any = kind(
        settings.uri.get_secret_value(),
        appname=name,
        tz_aware=True,
        serverSelectionTimeoutMS=settings.timeout_ms,
        socketTimeoutMS=settings.timeout_ms * 4,
        connectTimeoutMS=settings.timeout_ms,
        maxPoolSize=32,
    )
    try:
        yield cast(
            Database,
            client.get_database(settings.database, write_concern=WriteConcern("majority", j=True)),
        )
    finally:
        closing = client.close()
        if closing is not None:
            await closing


def as_read(document: Mapping[str, Any]) -> Document:
    """The filter of a write that counts only while nobody else wrote: `rev` is still the one read.

    `$all` of one value is equality. SecantusDB looks for an index that serves two equalities, in all
    of the collection's, before it takes the `_id`; an operator spares it most of that (a tenth to a
    quarter of a write, `docs/decisions/0015`). Elsewhere it makes no difference.
    """
    return {"_id": document["_id"], "rev": {"$all": [document["rev"]]}}


async def ping(database: Database) -> None:
    """Raises StoreUnavailable unless the server answers a question about data: one that hangs in its
    storage may still answer the command of this name."""
    with translate_mongo_errors():
        await database[APPS.name].find_one({"_id": ""}, {"_id": 1})


async def ensure_indexes(database: Database, service: str) -> None:
    """Create the indexes of the collections that this service writes. Idempotent."""
    with translate_mongo_errors():
        for collection, index in indexes_of(service):
            await database[collection].create_index(list(index.keys), **_options(index))


def _options(index: Index) -> Document:
    options: Document = {"unique": index.unique}
    if index.expires:
        options["expireAfterSeconds"] = 0
    return options
