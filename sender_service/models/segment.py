"""Segments: a small language over profile fields (docs/segments.md). Pure; knows no database.

A condition is an object with exactly one key, which says its kind. Nothing else is accepted anywhere,
so what is misspelt is refused instead of selecting everybody.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WrapValidator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from sender_service.models.segment_values import Counted, Period, Range, Strict
from shared.models.documented import at_least_one
from shared.names import ThingId
from shared.nearest import did_you_mean

MAX_SEGMENT_DEPTH = 8  # conditions within conditions
MAX_CONDITIONS = 64
MAX_SEGMENT_VALUES = 500  # values of all lists together
LOGIC = ("and", "or")

Names = Annotated[list[ThingId], Field(min_length=1, max_length=100)]


class LastSeen(Period):
    model_config = ConfigDict(json_schema_extra=at_least_one)

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.within is None and self.older_than is None:
            raise ValueError("give at least one of within, olderThan")
        return self


class Viewed(Period):
    """A product page that matches; with `last`, only the newest one counts."""

    items: Names | None = None
    categories: Names | None = None
    last: Literal[True] | None = None


class Category(Period):
    """A category's page, or a product's page in it; with `last`, only the newest one counts."""

    ids: Names | None = None
    last: Literal[True] | None = None


class Basket(Period):
    """A basket that isn't empty; the period is that of its last change."""

    items: Names | None = None
    total: Range | None = None
    lines: Counted | None = None


class Bought(Period):
    """A purchase that matches; with `count`, the number of purchases."""

    items: Names | None = None
    revenue: Range | None = None
    count: Counted | None = None

    @model_validator(mode="after")
    def _countable(self) -> Self:
        beside = (self.items, self.revenue, self.older_than)
        if self.count is not None and any(one is not None for one in beside):
            raise ValueError("count goes with within alone")
        return self


class And(Strict):
    all_of: Conditions = Field(alias="and")


class Or(Strict):
    any_of: Conditions = Field(alias="or")


class Not(Strict):
    condition: Segment = Field(alias="not")


class LastSeenIs(Strict):
    last_seen: LastSeen


class LanguageIs(Strict):
    """The person's languages; `cs` includes `cs-CZ`."""

    language: Names


class TimeZoneIs(Strict):
    time_zone: Names


class BrowserIs(Strict):
    browser: Names


class Known(Strict):
    known: Literal["login", "email"]


class HasViewed(Strict):
    viewed: Viewed


class HasCategory(Strict):
    category: Category


class HasBasket(Strict):
    basket: Basket


class HasBought(Strict):
    bought: Bought


Condition = (
    And | Or | Not | LastSeenIs | LanguageIs | TimeZoneIs | BrowserIs | Known
    | HasViewed | HasCategory | HasBasket | HasBought
)  # fmt: skip
CONDITIONS: dict[str, type[Condition]] = {
    "and": And,
    "or": Or,
    "not": Not,
    "lastSeen": LastSeenIs,
    "language": LanguageIs,
    "timeZone": TimeZoneIs,
    "browser": BrowserIs,
    "known": Known,
    "viewed": HasViewed,
    "category": HasCategory,
    "basket": HasBasket,
    "bought": HasBought,
}


def _by_kind(value: Any, _: Any) -> Condition:
    """Return the condition of its only key, so that an error names one path, not twelve."""
    if isinstance(value, BaseModel):
        return value  # type: ignore[return-value]
    if not isinstance(value, dict) or len(value) != 1:
        raise ValueError("a condition is an object with exactly one key: " + ", ".join(CONDITIONS))
    kind = next(iter(value))
    if kind not in CONDITIONS:
        hint = did_you_mean(str(kind), CONDITIONS)
        error = PydanticCustomError("unknown_condition", f"there is no such condition{hint}")
        found: InitErrorDetails = {"type": error, "loc": (kind,), "input": None}
        raise ValidationError.from_exception_data("segment", [found])
    return CONDITIONS[kind].model_validate(value)


Segment = Annotated[Condition, WrapValidator(_by_kind)]
Conditions = Annotated[list[Segment], Field(min_length=1, max_length=MAX_CONDITIONS)]


def check_size(value: Any) -> Any:
    """Check the sizes before other code recurses. Raises ValueError with the path."""
    conditions = names = 0
    for path, depth, one in _walk(value):
        if depth > MAX_SEGMENT_DEPTH:
            raise ValueError(f"{path}: conditions are nested at most {MAX_SEGMENT_DEPTH} deep")
        conditions += isinstance(one, dict)
        names += len(one) if isinstance(one, list) else 0
        if conditions > MAX_CONDITIONS:
            raise ValueError(f"{path}: a segment has at most {MAX_CONDITIONS} conditions")
        if names > MAX_SEGMENT_VALUES:
            raise ValueError(f"{path}: a segment names at most {MAX_SEGMENT_VALUES} values")
    return value


def _walk(value: Any) -> Iterator[tuple[str, int, Any]]:
    """Yield path, depth and value of conditions and the lists in them; never recurses."""
    waiting: list[tuple[str, int, Any]] = [("", 1, value)]
    while waiting:
        path, depth, one = waiting.pop()
        if not isinstance(one, dict):
            continue
        yield path or "it", depth, one
        for key in LOGIC:
            if isinstance(one.get(key), list):
                inner = enumerate(one[key])
                waiting += [(f"{path}.{key}.{i}".strip("."), depth + 1, v) for i, v in inner]
        waiting.append((f"{path}.not".strip("."), depth + 1, one.get("not")))
        for key, details in one.items():
            if key in LOGIC:
                continue
            lists = details.values() if isinstance(details, dict) else [details]
            yield from ((path or "it", depth, v) for v in lists if isinstance(v, list))


BoundedSegment = Annotated[Segment, BeforeValidator(check_size)]

for _model in (And, Or, Not):
    _model.model_rebuild()
