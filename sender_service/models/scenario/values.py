"""Values that the scenario language shares: whole numbers with bounds, words, findings. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypeVar

from annotated_types import Ge, Le
from pydantic import AfterValidator, Strict, StringConstraints, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from shared.errors import FieldError
from shared.models.sentences import text_like

MAX_SCENARIO_BYTES = 64 * 1024
MAX_SCENARIOS = 50  # an app

T = TypeVar("T")

Label = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=128)]
YesNo = Annotated[bool, Strict()]
Priority = Annotated[int, Strict(), Ge(1), Le(100)]
# Of an event's data; a key with a `$` first is a command to MongoDB.
FieldName = Annotated[
    str,
    text_like(
        r"^[^$.\x00-\x1f\x7f][^.\x00-\x1f\x7f]{0,63}$",
        "must be the name of a field of the event's data, of 1 to 64 signs without dots, as tier",
    ),
]


def _check_differ(values: list[T]) -> list[T]:
    if len(set(values)) != len(values):
        raise PydanticCustomError("repeated", "has an entry twice")
    return values


Differing = AfterValidator(_check_differ)


def invalid(model: str, errors: Sequence[FieldError]) -> ValidationError:
    """Return the errors as Pydantic has them, to raise in a validator; paths begin at the model."""
    found: list[InitErrorDetails] = [
        {
            "type": PydanticCustomError(error.code, error.message),
            "loc": tuple(error.field.split(".")),
            "input": None,
        }
        for error in errors
    ]
    return ValidationError.from_exception_data(model, found)
