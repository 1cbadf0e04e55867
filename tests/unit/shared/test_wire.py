"""Tests of what travels: camelCase, UTC, and errors that name fields but never echo a value."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.errors import InvalidPayload
from shared.models.delivery import Delivery
from shared.models.event import Event
from shared.models.wire import MAX_WIRE_DEPTH, Moment, Storable, Wire, load_json, validate

SECRET = "jane@shop.example"


class Inner(Wire):
    some_count: int = 0


class Sample(Wire):
    first_name: str
    sent_at: Moment
    inner: Inner | None = None
    free: Storable = {}


def _sample(**fields: Any) -> dict[str, Any]:
    return {"firstName": "x", "sentAt": "2026-11-01T12:00:00Z", **fields}


def test_outside_is_camel_case() -> None:
    sample = validate(Sample, _sample(inner={"someCount": 3}))
    assert orjson.loads(sample.dump()) == {
        "firstName": "x", "sentAt": "2026-11-01T12:00:00.000Z", "inner": {"someCount": 3}, "free": {},
    }  # fmt: skip
    assert Sample.parse(sample.dump()) == sample


def test_documents_keep_datetimes() -> None:
    assert validate(Sample, _sample()).document()["sentAt"] == datetime(2026, 11, 1, 12, tzinfo=UTC)


def test_unknown_keys_are_ignored() -> None:
    assert validate(Sample, _sample(later="new")).first_name == "x"


@given(st.datetimes(datetime(1971, 1, 1), datetime(9000, 1, 1)), st.integers(-14 * 60, 14 * 60))
def test_moments_are_utc_whatever_the_offset(local: datetime, minutes: int) -> None:
    moment = local.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    read = validate(Sample, _sample(sentAt=moment.isoformat())).sent_at
    assert read == moment and read.utcoffset() == timedelta(0)
    again = Sample.parse(validate(Sample, _sample(sentAt=moment.isoformat())).dump()).sent_at
    assert abs(again - moment) < timedelta(milliseconds=1)


def test_naive_moments_are_taken_as_utc() -> None:
    sample = validate(Sample, _sample(sentAt="2026-11-01T12:00:00"))
    assert sample.sent_at == datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-10:00", "0001-01-01T00:00:00+10:00"])
def test_moments_beyond_the_calendar_are_refused(text: str) -> None:
    with pytest.raises(InvalidPayload) as caught:
        validate(Sample, _sample(sentAt=text))
    assert caught.value.errors[0].field == "sentAt"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"firstName": [SECRET]}, "firstName"),
        ({"sentAt": SECRET}, "sentAt"),
        ({"inner": {"someCount": SECRET}}, "inner.someCount"),
        ({"inner": SECRET}, "inner"),
        ({"free": SECRET}, "free"),
        ({"free": {f"${SECRET}": 1}}, "free"),
        ({"free": {"a": [SECRET + "\ud800"]}}, "free"),
    ],
)
def test_errors_name_fields_and_echo_nothing(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidPayload) as caught:
        validate(Sample, _sample(**fields), prefix="events.3.")
    error = caught.value
    assert [e.field for e in error.errors] == [f"events.3.{field}"]
    message = error.message + repr(error.errors) + str(error)
    assert SECRET not in message and "jane" not in message


@pytest.mark.parametrize("body", [b"", b"{", b'{"a": NaN}', b"\xff", b'"\\ud800"', b"[" * 5_000])
def test_json_is_strict(body: bytes) -> None:
    with pytest.raises(InvalidPayload) as caught:
        load_json(body)
    assert caught.value.code == "invalid_json"


@pytest.mark.parametrize("model", [Event, Delivery, Sample])
@given(body=st.binary(max_size=60))
def test_any_bytes_parse_or_are_invalid(model: type[Wire], body: bytes) -> None:
    with pytest.raises(InvalidPayload):
        model.parse(body)


def _nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth - 1):
        value = {"a": value}
    return value


def test_free_json_is_bounded_in_depth() -> None:
    assert validate(Sample, _sample(free=_nested(MAX_WIRE_DEPTH)))
    with pytest.raises(InvalidPayload):
        validate(Sample, _sample(free=_nested(MAX_WIRE_DEPTH + 1)))
    with pytest.raises(InvalidPayload):
        validate(Sample, _sample(free={"a": [[[_nested(5_000)]]]}))


@pytest.mark.parametrize(
    "value",
    [{"a\0b": 1}, {"x": {"$where": 1}}, {"n": 2**63}, {"n": [-(2**63) - 1]}, {"f": float("nan")},
     {"f": float("inf")}, {"t": "\udc00"}, {"\udc00": 1}],
)  # fmt: skip
def test_what_no_store_holds_is_refused(value: dict[str, Any]) -> None:
    with pytest.raises(InvalidPayload) as caught:
        validate(Sample, _sample(free=value))
    assert caught.value.errors[0].field.startswith("free")


def test_ordinary_json_stays_as_it_is() -> None:
    free = {
        "name": "Zoë",
        "n": 2**63 - 1,
        "price": 1.5,
        "ok": True,
        "no": None,
        "list": [{"a.b": 1}],
    }
    assert validate(Sample, _sample(free=free)).free == free


def test_f12_a_byte_order_mark_is_skipped() -> None:
    assert load_json(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}
    with pytest.raises(InvalidPayload):
        load_json(b"\xef\xbb\xbf\xef\xbb\xbf{}")


def test_f09_an_empty_list_is_an_empty_object() -> None:
    storable: TypeAdapter[dict[str, Any]] = TypeAdapter(Storable)
    assert storable.validate_python([]) == {}
    with pytest.raises(ValidationError):
        storable.validate_python([1])
