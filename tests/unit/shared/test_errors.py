"""The failure model: one root question, codes that name one thing each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    DuplicateKeyError,
    ExecutionTimeout,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WriteConcernError,
    WTimeoutError,
)

from shared import errors
from shared.errors import CarillonError, Rejected, StoreUnavailable, Unavailable
from shared.kafka import translate_kafka_errors
from shared.mongo import settle_race, translate_mongo_errors


def _tree(root: type[CarillonError]) -> Iterator[type[CarillonError]]:
    yield root
    for kind in root.__subclasses__():
        if kind.__module__ == errors.__name__:
            yield from _tree(kind)


TREE = list(_tree(CarillonError))


def test_codes_are_unique() -> None:
    codes = [kind.code for kind in TREE]
    assert len(TREE) >= 11
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("kind", TREE[1:])
def test_status_answers_whether_a_retry_helps(kind: type[CarillonError]) -> None:
    assert issubclass(kind, Rejected) != issubclass(kind, Unavailable)
    assert (400 <= kind.status < 500) if issubclass(kind, Rejected) else kind.status == 503


def test_docstring_draws_the_tree() -> None:
    assert errors.__doc__ is not None
    for kind in TREE:
        assert f"{kind.__name__} " in errors.__doc__


def test_own_code_stays_with_the_instance() -> None:
    assert Rejected("x", code="special").code == "special"
    assert Rejected("x").code == "rejected"


def _bulk(*codes: int, concern: bool = False) -> BulkWriteError:
    concerns = [{"code": 64}] if concern else []
    return BulkWriteError(
        {"writeErrors": [{"code": c} for c in codes], "writeConcernErrors": concerns}
    )


@pytest.mark.parametrize(
    "error",
    [
        AutoReconnect("x"), NetworkTimeout("x"), ServerSelectionTimeoutError("x"), NotPrimaryError("x"),
        ExecutionTimeout("x", 50), WTimeoutError("x", 64), WriteConcernError("x", 91),
        OperationFailure("x", 10107), OperationFailure("x", 11600), OperationFailure("x", 112),
        _bulk(112), _bulk(112, 10107), _bulk(concern=True),
    ],
    ids=repr,
)  # fmt: skip
def test_what_may_pass_is_unavailable(error: PyMongoError) -> None:
    with pytest.raises(StoreUnavailable) as caught, translate_mongo_errors():
        raise error
    assert caught.value.message == f"MongoDB: {type(error).__name__}"
    # The driver's text may hold documents, and a traceback would tell it.
    assert caught.value.__suppress_context__ and caught.value.__cause__ is None


@pytest.mark.parametrize(
    "error",
    [
        DuplicateKeyError("x", 11000), OperationFailure("x", 13), OperationFailure("x", 2),
        _bulk(11000), _bulk(112, 11000), _bulk(2),
    ],
    ids=repr,
)  # fmt: skip
def test_our_mistakes_stay_what_they_are(error: PyMongoError) -> None:
    with pytest.raises(type(error)), translate_mongo_errors():
        raise error


def test_text_of_an_outage_names_no_data() -> None:
    with pytest.raises(StoreUnavailable) as caught, translate_mongo_errors():
        raise AutoReconnect("mongodb://user:password@host")
    assert "password" not in caught.value.message


@pytest.mark.parametrize("error", [OSError("x"), TimeoutError("x"), ConnectionRefusedError("x")])
def test_kafka_trouble_is_unavailable(error: Exception) -> None:
    with pytest.raises(errors.LogUnavailable), translate_kafka_errors():
        raise error


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

    assert await settle_race(operation) == "done"
    assert runs == 3


async def test_other_failures_are_not_run_again() -> None:
    runs = 0

    async def operation() -> None:
        nonlocal runs
        runs += 1
        raise OperationFailure("x", 13)

    with pytest.raises(OperationFailure):
        await settle_race(operation)
    assert runs == 1
