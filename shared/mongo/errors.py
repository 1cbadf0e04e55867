"""MongoDB's errors by what they blame: the input, or the database, which is waited for.

The list is closed and names those that blame a document or a query. An unforeseen code (a provider's
own, a full disk, a refused password) must neither dead-letter a good record nor end a process.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pymongo.errors import (
    BulkWriteError,
    CollectionInvalid,
    InvalidName,
    InvalidOperation,
    OperationFailure,
    PyMongoError,
    WriteConcernError,
)

from shared.errors import ServerAnswer, StoreUnavailable

DUPLICATE_KEY = 11000
WRITE_CONFLICT = 112
CONFLICT_CODES = frozenset({DUPLICATE_KEY, WRITE_CONFLICT})  # two upserts of one new key met

# What the driver itself refuses to encode (InvalidDocument, DocumentTooLarge, OverflowError) is no
# PyMongoError: it passes through here untouched, and blames the document too.
BLAMING_CODES: Mapping[int, str] = {
    2: "BadValue: an operator doesn't take this value",
    9: "FailedToParse: the query or the update isn't one",
    14: "TypeMismatch: the operator doesn't take this type, or the stored one",
    15: "Overflow: a number leaves its range",
    16: "InvalidLength: a string or an array has no such length",
    22: "InvalidBSON: the document can't be decoded",
    28: "PathNotViable: the update's path leads through a value that has no fields",
    40: "ConflictingUpdateOperators: two changes of one field",
    52: "DollarPrefixedFieldName: a field's name",
    53: "InvalidIdField: an _id of a wrong kind",
    54: "NotSingleValueField: several values where one is due",
    56: "EmptyFieldName: a field without a name",
    57: "DottedFieldName: a field's name",
    66: "ImmutableField: the update changes the _id",
    121: "DocumentValidationFailure: the document breaks a rule of its collection",
    171: "CannotIndexParallelArrays: the document has two arrays under one index",
    10334: "BSONObjectTooLarge: the document is beyond 16 MB",
    DUPLICATE_KEY: "DuplicateKey: the key is taken",
    11001: "DuplicateKey, as old servers have it",
    12582: "DuplicateKey, as old routers have it",
    17280: "KeyTooLong: a value is too long for its index",
    17419: "the update makes the document larger than 16 MB",
    17420: "the same, of an upsert",
}
# Mistakes of the caller that the driver finds; its ConfigurationError is about the server.
_CALLERS_MISTAKES = (InvalidOperation, InvalidName, CollectionInvalid)
_CODE_NAME = re.compile(r"[A-Za-z0-9_]{1,64}")


def blames_input(error: PyMongoError) -> bool:
    """Return whether the same document or query fails again. Decided on classes and codes only.

    A bulk write blames its documents only where nothing else failed.
    """
    if isinstance(error, BulkWriteError):
        failures, concerns = _bulk_errors(error)
        return (
            bool(failures)
            and not concerns
            and all(failure.get("code") in BLAMING_CODES for failure in failures)
        )
    if isinstance(error, OperationFailure):
        # Done, but not acknowledged by enough members: that blames no document.
        return not isinstance(error, WriteConcernError) and error.code in BLAMING_CODES
    return isinstance(error, _CALLERS_MISTAKES)


@contextmanager
def translate_mongo_errors() -> Iterator[None]:
    """Raise StoreUnavailable for each error that doesn't blame the input; raise others as they are."""
    try:
        yield
    except PyMongoError as exc:
        if not blames_input(exc):
            raise as_unavailable(exc) from None
        if isinstance(exc, BulkWriteError):
            raise _without_documents(exc) from None
        raise


@contextmanager
def blame_database() -> Iterator[None]:
    """Raise StoreUnavailable for every error of the database."""
    # A loop has no input to blame.
    try:
        yield
    except PyMongoError as exc:
        raise as_unavailable(exc) from None


def as_unavailable(error: PyMongoError) -> StoreUnavailable:
    """Return the error as ours, with the server's code and its name; the text may hold data."""
    return StoreUnavailable(f"MongoDB: {type(error).__name__}", answer=answer_of(error))


def answer_of(error: PyMongoError) -> ServerAnswer | None:
    """Return the server's code and that code's name; None where no server answered."""
    found: Mapping[str, Any] = {}
    if isinstance(error, BulkWriteError):
        failures, concerns = _bulk_errors(error)
        unforeseen = [f for f in failures if f.get("code") not in BLAMING_CODES]
        found = next(iter([*unforeseen, *concerns, *failures]), {})
    elif isinstance(error, OperationFailure):
        found = {**(error.details or {}), "code": error.code}
    code, name = found.get("code"), found.get("codeName")
    if not isinstance(code, int):
        return None
    is_name = isinstance(name, str) and _CODE_NAME.fullmatch(name)
    return ServerAnswer(code, str(name) if is_name else None)


def is_lost_race(error: PyMongoError) -> bool:
    """Return whether all that failed met another writer of the same new key."""
    if isinstance(error, BulkWriteError):
        failures, concerns = _bulk_errors(error)
        lost = all(failure.get("code") in CONFLICT_CODES for failure in failures)
        return bool(failures) and lost and not concerns
    return isinstance(error, OperationFailure) and error.code in CONFLICT_CODES


def duplicates_of(error: BulkWriteError) -> list[int]:
    """Return which writes met a key that is taken. Raises the error where anything else failed."""
    failures, concerns = _bulk_errors(error)
    if not failures or concerns or any(f.get("code") != DUPLICATE_KEY for f in failures):
        raise error
    return [int(failure["index"]) for failure in failures]


def _bulk_errors(error: BulkWriteError) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    details = error.details or {}
    return details.get("writeErrors", []), details.get("writeConcernErrors", [])


def _without_documents(error: BulkWriteError) -> BulkWriteError:
    """Return the error without the documents."""
    # The driver's own text holds them whole, and would take them into logs.
    details = dict(error.details or {})
    failures = details.get("writeErrors", [])
    details["writeErrors"] = [{k: f[k] for k in ("index", "code") if k in f} for f in failures]
    return BulkWriteError({k: v for k, v in details.items() if k != "upserted"})
