"""Tests of which errors blame a document or a query: a closed list. All others blame the database."""

from __future__ import annotations

import pytest
from bson.errors import InvalidDocument
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConfigurationError,
    CursorNotFound,
    DocumentTooLarge,
    DuplicateKeyError,
    ExecutionTimeout,
    InvalidOperation,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    ProtocolError,
    PyMongoError,
    ServerSelectionTimeoutError,
    WriteConcernError,
    WTimeoutError,
)

from shared.errors import ServerAnswer, StoreUnavailable
from shared.mongo.client import blame_database, retry_on_conflict, translate_mongo_errors
from shared.mongo.errors import BLAMING_CODES, answer_of, duplicates_of, is_lost_race

INVENTED = 50463173  # a provider's, when its storage restarts


def _bulk(*codes: int, concern: bool = False) -> BulkWriteError:
    concerns = [{"code": 64}] if concern else []
    failures = [{"code": code, "index": index} for index, code in enumerate(codes)]
    return BulkWriteError({"writeErrors": failures, "writeConcernErrors": concerns})


@pytest.mark.parametrize(
    "error",
    [
        AutoReconnect("x"), NetworkTimeout("x"), ServerSelectionTimeoutError("x"), NotPrimaryError("x"),
        ProtocolError("x"), ConfigurationError("x"), CursorNotFound("x", 43),
        ExecutionTimeout("x", 50), WTimeoutError("x", 64), WriteConcernError("x", 91),
        WriteConcernError("x", 2), OperationFailure("x"), OperationFailure("x", 1),
        OperationFailure("x", 10107), OperationFailure("x", 11600), OperationFailure("x", 112),
        OperationFailure("x", 13), OperationFailure("x", 18), OperationFailure("x", 14031),
        OperationFailure("x", INVENTED), OperationFailure("x", 59), OperationFailure("x", 85),
        _bulk(112), _bulk(112, 10107), _bulk(INVENTED), _bulk(concern=True), _bulk(),
    ],
    ids=repr,
)  # fmt: skip
def test_e4_whatever_blames_no_document_blames_the_database(error: PyMongoError) -> None:
    with pytest.raises(StoreUnavailable) as caught, translate_mongo_errors():
        raise error
    assert caught.value.message.startswith(f"MongoDB: {type(error).__name__}")
    # The driver's text may hold documents, and a traceback would tell it.
    assert caught.value.__suppress_context__ and caught.value.__cause__ is None


@pytest.mark.parametrize(
    "error", [_bulk(11000, INVENTED), _bulk(2, 112), _bulk(11000, concern=True)], ids=str
)
def test_e4_a_bulk_that_mixes_both_is_tried_again(error: BulkWriteError) -> None:
    with pytest.raises(StoreUnavailable), translate_mongo_errors():
        raise error
    assert not is_lost_race(error)
    with pytest.raises(BulkWriteError):  # nobody goes on as if the others were stored
        duplicates_of(error)


@pytest.mark.parametrize(
    "error",
    [
        DuplicateKeyError("x", 11000), InvalidOperation("x"), _bulk(11000), _bulk(2), _bulk(2, 11000),
        *(OperationFailure("x", code) for code in BLAMING_CODES),
    ],
    ids=repr,
)  # fmt: skip
def test_what_blames_the_input_stays_what_it_is(error: PyMongoError) -> None:
    with pytest.raises(type(error)), translate_mongo_errors():
        raise error
    with pytest.raises(StoreUnavailable), blame_database():  # a loop has none to blame
        raise error


@pytest.mark.parametrize(
    "error", [InvalidDocument("x"), DocumentTooLarge("x"), OverflowError("x")], ids=repr
)
def test_e4_what_the_driver_cannot_encode_blames_the_document(error: Exception) -> None:
    with pytest.raises(type(error)), translate_mongo_errors():
        raise error


def test_duplicates_are_named_by_place() -> None:
    assert duplicates_of(_bulk(11000, 11000)) == [0, 1]


def test_n4_code_and_name_are_kept_and_the_text_is_not() -> None:
    details = {"code": 18, "codeName": "AuthenticationFailed", "errmsg": "user=shop password=x"}
    with pytest.raises(StoreUnavailable) as caught, translate_mongo_errors():
        raise OperationFailure("user=shop password=x", 18, details)
    error = caught.value
    assert error.answer == ServerAnswer(18, "AuthenticationFailed")
    assert error.reason == "mongo_unavailable (18 AuthenticationFailed)"
    assert error.log_fields == {
        "code": "mongo_unavailable", "mongoCode": 18, "codeName": "AuthenticationFailed",
    }  # fmt: skip
    assert "password" not in f"{error.message}{error.reason}{error.log_fields}"


def test_n4_a_name_that_is_a_text_is_left_out() -> None:
    details = {"code": 18, "codeName": "no such user: shop@example"}
    assert answer_of(OperationFailure("x", 18, details)) == ServerAnswer(18, None)


@pytest.mark.parametrize(
    ("error", "code"),
    [(_bulk(11000, INVENTED), INVENTED), (_bulk(11000, concern=True), 64), (_bulk(2), 2)],
    ids=str,
)
def test_a_bulk_reports_the_code_that_nobody_foresaw(error: BulkWriteError, code: int) -> None:
    assert answer_of(error) == ServerAnswer(code, None)


def test_text_of_an_outage_names_no_data() -> None:
    with pytest.raises(StoreUnavailable) as caught, translate_mongo_errors():
        raise AutoReconnect("mongodb://user:password@host")
    assert "password" not in caught.value.message


@pytest.mark.parametrize(
    "lost", [DuplicateKeyError("x", 11000), OperationFailure("x", 112), _bulk(11000)]
)
async def test_lost_race_is_run_again(lost: PyMongoError) -> None:
    runs = 0

    async def operation() -> str:
        nonlocal runs
        runs += 1
        if runs < 3:
            raise lost
        return "done"

    assert await retry_on_conflict(operation) == "done"
    assert runs == 3


async def test_other_failures_are_not_run_again() -> None:
    runs = 0

    async def operation() -> None:
        nonlocal runs
        runs += 1
        raise OperationFailure("x", 13)

    with pytest.raises(OperationFailure):
        await retry_on_conflict(operation)
    assert runs == 1
