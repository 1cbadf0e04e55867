"""Values of entry rules as people write them: types of events, values of their data, moments, days."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from annotated_types import Ge, Le
from pydantic import AfterValidator, Field, StringConstraints
from pydantic import Strict as Exactly
from pydantic_core import PydanticCustomError

from shared.events.registry import LOGOUT, PAYLOAD_OF_TYPE, RESERVED_PREFIX
from shared.models.sentences import one_of_kinds, text_like
from shared.models.wire import ZonedMoment

KNOWN_TYPES = frozenset(PAYLOAD_OF_TYPE) | {LOGOUT}
Days = Annotated[int, Exactly(), Ge(1), Le(30)]
Text = Annotated[str, StringConstraints(strict=True, max_length=256)]
Number = Annotated[float, Exactly(), Field(ge=-(2**53), le=2**53)]
Whole = Annotated[int, Exactly(), Ge(-(2**53)), Le(2**53)]
Scalar = Annotated[
    Annotated[bool, Exactly()] | Whole | Number | Text,
    one_of_kinds("must be a text of at most 256 signs, a number, true or false"),
]


def _check_own(name: str) -> str:
    if name in KNOWN_TYPES or name.startswith(RESERVED_PREFIX):
        raise PydanticCustomError(
            "reserved_type",
            "must be a type of the shop's own: for others there are viewed, category, basket,"
            " bought, identified and subscribed",
        )
    return name


EventType = Annotated[
    str,
    text_like(
        r"^[A-Za-z][A-Za-z0-9_.:\-]{0,63}$",
        "must be a type of event: a letter, then at most 63 letters, digits, or any of _ . : -,"
        " as quizFinished",
    ),
    AfterValidator(_check_own),
]


def _in_milliseconds(moment: datetime) -> datetime:
    """Return the moment as the database holds it, so that it is read as it was written."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


StoredMoment = Annotated[ZonedMoment, AfterValidator(_in_milliseconds)]
