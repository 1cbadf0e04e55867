"""The failure model: one root question, codes that name one thing each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared import errors
from shared.errors import CarillonError, Rejected, Unavailable
from shared.kafka.errors import translate_kafka_errors


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


@pytest.mark.parametrize("error", [OSError("x"), TimeoutError("x"), ConnectionRefusedError("x")])
def test_kafka_trouble_is_unavailable(error: Exception) -> None:
    with pytest.raises(errors.LogUnavailable), translate_kafka_errors():
        raise error
