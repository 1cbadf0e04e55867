"""Strict reading: unknown keys by path, with the name that may be meant; findings are bounded."""

from __future__ import annotations

import tracemalloc
from typing import Annotated, Literal

import pytest
from pydantic import Field

from shared.errors import InvalidPayload
from shared.models.strict import MAX_FINDINGS, known_names, validate_strictly, validate_tolerantly
from shared.models.wire import Wire


class Inner(Wire):
    send_at: int = 0
    id: str = ""


class Outer(Wire):
    inner: Inner = Inner()
    some: list[Inner] = []
    by_name: dict[str, Inner] = {}
    maybe: Annotated[Inner, Field()] | Literal["none"] | None = None


def refused(value: object) -> InvalidPayload:
    with pytest.raises(InvalidPayload) as caught:
        validate_strictly(Outer, value, prefix="body.")
    return caught.value


@pytest.mark.parametrize(
    ("value", "field", "meant"),
    [
        ({"iner": {}}, "body.iner", "inner"),
        ({"inner": {"sendat": 1}}, "body.inner.sendat", "sendAt"),
        ({"some": [{}, {"sentAt": 1}]}, "body.some.1.sentAt", "sendAt"),
        ({"byName": {"x": {"send-at": 1}}}, "body.byName.x.send-at", "sendAt"),
        ({"maybe": {"sendatt": 1}}, "body.maybe.Inner.sendatt", "sendAt"),
    ],
)
def test_b6_n1_f7_unknown_key_is_refused_by_its_path(value: object, field: str, meant: str) -> None:
    error = refused(value)
    (finding,) = [e for e in error.errors if e.code == "unknown_key"]
    assert (finding.field, finding.code) == (field, "unknown_key")
    assert finding.message == f"is unknown; did you mean `{meant}`?"
    assert error.message.startswith(field)


def test_records_and_stored_documents_are_read_as_ever() -> None:
    value = {"inner": {"sendat": 1, "sendAt": 2}, "more": 1}
    assert Outer.model_validate(value).inner.send_at == 2
    assert Outer.parse(b'{"more": 1}') == Outer()


def test_nothing_like_it_is_no_question() -> None:
    assert refused({"weather": 1}).errors[0].message == "is unknown"


def test_findings_are_bounded_and_counted() -> None:
    error = refused({"some": [1] * 5_000})
    assert len(error.errors) == MAX_FINDINGS
    assert error.message.endswith("(and 4900 findings more)")


def test_long_keys_are_cut() -> None:
    assert len(refused({"x" * 100_000: 1}).errors[0].field) < 100


def test_many_findings_take_little_memory() -> None:
    value = {f"k{i}": 1 for i in range(100_000)}
    tracemalloc.start()
    try:
        refused(value)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 40 * 1024**2  # as objects they took 130


def test_f7_tolerant_reading_names_each_kind_of_key_once() -> None:
    value = {"some": [{"weather": 1}, {"weather": 2}], "source": "crm"}
    read, unknown = validate_tolerantly(Outer, value)
    assert len(read.some) == 2
    assert [finding.field for finding in unknown] == ["some.0.weather", "source"]


def test_f7_tolerant_reading_refuses_what_is_near() -> None:
    with pytest.raises(InvalidPayload) as caught:
        validate_tolerantly(Outer, {"source": 1, "some": [{"sendat": 1}]})
    assert [e.field for e in caught.value.errors] == ["some.0.sendat"]


def test_f7_tolerant_reading_has_a_bound() -> None:
    with pytest.raises(InvalidPayload) as caught:
        validate_tolerantly(Outer, {f"something{i}": 1 for i in range(10_000)})
    assert caught.value.code == "unknown_keys"


def test_known_names_are_found_through_lists_and_unions() -> None:
    assert known_names(Outer, ("some", 3, "x")) == ["sendAt", "id"]
    assert known_names(Outer, ("x",)) == ["inner", "some", "byName", "maybe"]
