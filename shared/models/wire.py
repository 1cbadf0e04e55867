"""Base of every wire model: camelCase outside, snake_case inside, unknown keys ignored."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterable
from datetime import datetime
from math import isfinite
from typing import Annotated, Any, Self, TypeVar

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    ValidationError,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from shared.clock import as_utc
from shared.errors import InvalidPayload
from shared.json_faults import describe_fault
from shared.models.moments import read_written
from shared.models.strict import to_invalid

STORABLE_KEY = r"^([^$\u0000][^\u0000]*)?$"
MAX_WIRE_DEPTH = 32  # BSON ends at 100, with what it lies in; templates and reports need far less


def to_iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _utc(moment: datetime) -> datetime:
    try:
        return as_utc(moment)
    except OverflowError as exc:  # the year 9999 west of Greenwich
        raise ValueError("is beyond the years 1 to 9999") from exc


def _check_zone(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise PydanticCustomError(
            "time_zone_missing", "must have its time zone, as in 2027-01-31T10:00:00+01:00 or …Z"
        )
    return moment


def check_storable(value: dict[str, Any]) -> dict[str, Any]:
    """Return the value if every JSON parser, BSON and MongoDB can hold it. Raises ValueError."""
    level: list[Any] = [value]
    for _ in range(MAX_WIRE_DEPTH):
        below: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                below += [*one, *one.values()]
                if any("\0" in key or key.startswith("$") for key in one):
                    raise ValueError("a key may not contain NUL nor begin with $")
            elif isinstance(one, list):
                below += one
            else:
                _check_scalar(one)
        level = below
        if not level:
            return value
    raise ValueError(f"may be nested at most {MAX_WIRE_DEPTH} levels deep")


def empty_list_as_object(value: Any) -> Any:
    """Return `{}` for `[]`: PHP writes an empty array of either kind so."""
    return {} if value == [] else value


def is_deep(value: Any) -> bool:
    """Check whether a value is nested deeper than we accept."""
    # A parser goes to 1,024 levels. A recursive walk of such a value, as `str` does, ends in a
    # RecursionError.
    level: list[Any] = [value]
    for _ in range(MAX_WIRE_DEPTH + 1):
        level = [one for outer in level for one in _inside(outer)]
        if not level:
            return False
    return True


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _check_scalar(value: Any) -> None:
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError("a whole number must fit 64 bits")
    if isinstance(value, float) and not isfinite(value):
        raise ValueError("a number must be finite")
    if isinstance(value, str) and not _is_text(value):
        raise ValueError("a text must be Unicode, without lone surrogates")


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


# UTC, in milliseconds, as ISO 8601 with a Z; readers take any number of decimals.
Moment = Annotated[datetime, AfterValidator(_utc), PlainSerializer(to_iso, when_used="json")]
# Written by people, who may leave out the zone: then it is UTC.
WrittenMoment = Annotated[Moment, BeforeValidator(read_written)]
# Written by people: a local time without an offset would be an hour or two off.
ZonedMoment = Annotated[
    datetime,
    BeforeValidator(read_written),
    AfterValidator(_check_zone),
    AfterValidator(_utc),
    PlainSerializer(to_iso, when_used="json"),
]
# Free-form JSON that is stored as it is.
Storable = Annotated[
    dict[str, Any],
    BeforeValidator(empty_list_as_object),
    AfterValidator(check_storable),
    WithJsonSchema({"type": "object", "propertyNames": {"pattern": STORABLE_KEY}}),
]


class Wire(BaseModel):
    """Base of wire models. Old consumers ignore new keys."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True
    )

    @classmethod
    def parse(cls, value: bytes) -> Self:
        """Read the model from JSON. Raises InvalidPayload, which names the fields."""
        try:
            return cls.model_validate_json(value)
        except ValidationError as exc:
            raise invalid_payload(exc) from exc

    def dump(self) -> bytes:
        """Return JSON in camelCase, without absent optional fields."""
        return self.model_dump_json(by_alias=True, exclude_none=True).encode()

    def document(self) -> dict[str, Any]:
        """Return a MongoDB document: camelCase keys, datetimes kept."""
        return self.model_dump(by_alias=True)


M = TypeVar("M", bound=BaseModel)


def validate(model: type[M], value: object, *, prefix: str = "") -> M:
    """Return a Python value as `model`. Raises InvalidPayload, which names the fields."""
    try:
        return model.model_validate(value)
    except ValidationError as exc:
        raise invalid_payload(exc, prefix=prefix) from exc


def invalid_payload(error: ValidationError, *, prefix: str = "") -> InvalidPayload:
    """Return Pydantic's findings as ours: path, code and a sentence."""
    # Never the value, which may be personal.
    return to_invalid(error, prefix=prefix)


def load_json(body: bytes, *, is_line: bool = False) -> Any:
    """Read strict JSON (UTF-8, no NaN), with or without a byte order mark.

    `is_line`: it is one of a list's lines. Raises InvalidPayload, which names the place.
    """
    try:
        return orjson.loads(body[len(BOM_UTF8) :] if body.startswith(BOM_UTF8) else body)
    except orjson.JSONDecodeError as exc:
        place = describe_fault(body, exc, is_line=is_line)
        what = "not JSON" if is_line else "the body is not JSON"
        raise InvalidPayload(f"{what}: {place}", code="invalid_json") from None
