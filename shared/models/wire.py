"""The base of every wire model: camelCase outside, snake_case inside, unknown keys ignored."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self, TypeVar

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, PlainSerializer, ValidationError
from pydantic.alias_generators import to_camel

from shared.clock import as_utc
from shared.errors import FieldError, InvalidPayload


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


# UTC, with milliseconds, as ISO 8601 with a Z.
Moment = Annotated[datetime, AfterValidator(as_utc), PlainSerializer(_iso, when_used="json")]


class Wire(BaseModel):
    """New keys stay readable by old consumers: they ignore what they don't know."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True
    )

    @classmethod
    def parse(cls, value: bytes) -> Self:
        """From JSON. Raises InvalidPayload, which names the fields."""
        try:
            return cls.model_validate_json(value)
        except ValidationError as exc:
            raise invalid_payload(exc) from exc

    def dump(self) -> bytes:
        """As JSON, camelCase, absent optional fields left out."""
        return self.model_dump_json(by_alias=True, exclude_none=True).encode()

    def document(self) -> dict[str, Any]:
        """As a MongoDB document: camelCase keys, datetimes kept."""
        return self.model_dump(by_alias=True)


M = TypeVar("M", bound=BaseModel)


def validate(model: type[M], value: object, *, prefix: str = "") -> M:
    """A Python value as `model`. Raises InvalidPayload, which names the fields."""
    try:
        return model.model_validate(value)
    except ValidationError as exc:
        raise invalid_payload(exc, prefix=prefix) from exc


def invalid_payload(error: ValidationError, *, prefix: str = "") -> InvalidPayload:
    """Pydantic's findings as ours: path, code and a sentence, never the value (it may be personal)."""
    found = tuple(
        FieldError(
            prefix + ".".join(str(step) for step in item["loc"]) or "body",
            item["type"],
            item["msg"].removeprefix("Value error, "),
        )
        for item in error.errors(include_url=False, include_context=False, include_input=False)
    )
    first = found[0]
    return InvalidPayload(f"{first.field}: {first.message}", errors=found)


def load_json(body: bytes) -> Any:
    """Strict JSON (UTF-8, no NaN). Raises InvalidPayload."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        raise InvalidPayload("the body is not JSON in UTF-8", code="invalid_json") from exc
