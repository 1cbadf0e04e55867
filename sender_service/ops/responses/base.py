"""Base of the ops API's answers: names, moments, lists, keys that may be absent."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic.alias_generators import to_camel

from shared.models.wire import Moment as WireMoment

T = TypeVar("T")


def _is_none(value: object) -> bool:
    return value is None


def _to_seconds(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


_DATE_TIME = WithJsonSchema({"type": "string", "format": "date-time"})
Moment = Annotated[WireMoment, _DATE_TIME]
WholeSecond = Annotated[WireMoment, PlainSerializer(_to_seconds, when_used="json"), _DATE_TIME]
# Marks a field whose key is absent where it has no value; other fields answer null.
ABSENT = Field(exclude_if=_is_none)


class ResponseModel(BaseModel):
    """Base of answers. Readers ignore keys that they don't know."""

    # A command starts without the cost of models that it doesn't use: each is built when it is.
    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="ignore",
        frozen=True,
        defer_build=True,
    )


class Items(ResponseModel, Generic[T]):
    """A whole list, or one that the request limits."""

    items: list[T]


class WarningResponse(ResponseModel):
    """A remark on what was done nevertheless. `field`: what it is about, where that is one field."""

    field: Annotated[str | None, ABSENT] = None
    code: str
    message: str


class RemovedResponse(ResponseModel):
    """Name of a thing that was removed."""

    id: str
    removed: bool
