"""Values in a segment's conditions: durations, ranges, counts. Pure."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from shared.models.documented import at_least_one, given_or_absent

MAX_COUNT = 50  # entries that a profile keeps of each list
LONGEST = timedelta(days=3650)

Number = Annotated[float, Field(strict=True, ge=0, le=1e12, allow_inf_nan=False)]
Amount = Annotated[int, Field(strict=True, ge=0, le=100_000)]
Count = Annotated[int, Field(strict=True, ge=1, le=MAX_COUNT)]


class Strict(BaseModel):
    """A model that refuses unknown keys, unlike wire models."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        json_schema_extra=given_or_absent,
    )


class Duration(Strict):
    """A duration: the sum of its fields."""

    model_config = ConfigDict(json_schema_extra=at_least_one)

    days: Amount | None = None
    hours: Amount | None = None
    minutes: Amount | None = None

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not timedelta() < self.length <= LONGEST:
            raise ValueError("give days, hours or minutes, at most 3650 days in all")
        return self

    @property
    def length(self) -> timedelta:
        return timedelta(days=self.days or 0, hours=self.hours or 0, minutes=self.minutes or 0)


class Period(Strict):
    """A period: `now - within <= at`, and `at < now - olderThan`."""

    within: Duration | None = None
    older_than: Duration | None = None

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.within and self.older_than and self.within.length <= self.older_than.length:
            raise ValueError("within must be longer than olderThan: nothing can be in between")
        return self

    def bounds(self, now: datetime) -> tuple[datetime | None, datetime | None]:
        """Return the start and the end, each None if open."""
        return (
            now - self.within.length if self.within else None,
            now - self.older_than.length if self.older_than else None,
        )


class Range(Strict):
    """Limits of a number; all given ones apply."""

    model_config = ConfigDict(json_schema_extra=at_least_one)

    at_least: Number | None = None
    more_than: Number | None = None
    at_most: Number | None = None
    less_than: Number | None = None

    @model_validator(mode="after")
    def _some(self) -> Self:
        if all(limit is None for limit in self.limits.values()):
            raise ValueError("give at least one of atLeast, moreThan, atMost, lessThan")
        return self

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        """Check that some number from 0 is within the limits. Raises ValueError."""
        lowest = max(self.at_least or 0, self.more_than or 0)
        highest = min(x for x in (self.at_most, self.less_than, math.inf) if x is not None)
        is_open = lowest in (self.more_than,) or highest in (self.less_than,)
        if lowest > highest or (lowest == highest and is_open):
            raise ValueError("no number is within these limits")
        return self

    @property
    def limits(self) -> dict[str, float | None]:
        return {
            "atLeast": self.at_least,
            "moreThan": self.more_than,
            "atMost": self.at_most,
            "lessThan": self.less_than,
        }


class Counted(Strict):
    """Limits of a count."""

    model_config = ConfigDict(json_schema_extra=at_least_one)

    at_least: Count | None = None
    at_most: Annotated[int, Field(strict=True, ge=0, lt=MAX_COUNT)] | None = None

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise ValueError("give at least one of atLeast, atMost")
        return self

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if None not in (self.at_least, self.at_most) and self.at_least > self.at_most:  # type: ignore[operator]
            raise ValueError("atLeast is above atMost: no number is within these limits")
        return self
