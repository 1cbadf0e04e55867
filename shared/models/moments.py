"""Moments as people and tools write them: ISO 8601, or the seconds or milliseconds since 1970.

A number counts as the latter only where it means a moment from 2001 to 2286. Others are dates
without separators, as 20270301, and years: read as seconds they would be a day of 1970.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from pydantic_core import PydanticCustomError

from shared.models.sentences import A_DATE_TIME

EPOCH_SECONDS = range(10**9, 10**10)
EPOCH_MILLISECONDS = range(10**12, 10**13)
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)


def read_written(value: Any) -> Any:
    """Return the moment that a number means; anything else as it is, for pydantic to read.

    Raises PydanticCustomError where a number means none, and for a truth value.
    """
    if isinstance(value, bool):
        raise PydanticCustomError("datetime_type", A_DATE_TIME)
    if isinstance(value, int | float):
        return _known(value)
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return _known(float(value))
    return value


def of_epoch(number: float) -> datetime | None:
    """Return the moment so many seconds or milliseconds after 1970; None for what is neither."""
    if EPOCH_SECONDS[0] <= number <= EPOCH_SECONDS[-1]:
        return datetime.fromtimestamp(number, UTC)
    if EPOCH_MILLISECONDS[0] <= number <= EPOCH_MILLISECONDS[-1]:
        return datetime.fromtimestamp(number / 1000, UTC)
    return None


def of_digits(text: str) -> datetime | None:
    """Return the moment that a number in a text means: of eight digits the date, if there is one.

    Raises ValueError where it isn't a number.
    """
    if len(text) == 8 and text.isascii() and text.isdecimal():
        return datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC)
    return of_epoch(float(text))


def _known(number: float) -> datetime:
    moment = of_epoch(number)
    if moment is None:
        raise PydanticCustomError("datetime_parsing", A_DATE_TIME)
    return moment
