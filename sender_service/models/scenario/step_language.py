"""Steps as people write them: a wait, a condition, a campaign, a choice of items."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Annotated, Any, Literal, Self

from annotated_types import Ge, Le
from pydantic import BeforeValidator, ConfigDict, Field, model_validator
from pydantic import Strict as Exactly
from pydantic_core import PydanticCustomError

from sender_service.models.campaign import ShortId
from sender_service.models.scenario import scenario as stored
from sender_service.models.scenario.entry_rules import Zone
from sender_service.models.scenario.values import invalid
from sender_service.models.segment import BoundedSegment, Names
from sender_service.models.segment_values import Range, Strict
from sender_service.models.trigger import Name
from shared.errors import FieldError
from shared.models.documented import at_least_one
from shared.models.quiet_hours import ClockTime
from shared.models.sentences import one_of_kinds

MAX_ELSE_DEPTH = 2
# Made from the catalogue and the orders.
TABLES = ("alsoBought", "bestSellers", "hotDeals", "newIn")
BY_CATEGORY = TABLES[1:]


class AfterRequest(Strict):
    """A wait from the entry, the step before, or the person's last sign of life."""

    minutes: Annotated[int, Exactly(), Ge(0), Le(stored.MAX_WAIT // stored.MINUTE)]
    of: stored.WaitFrom | None = None

    def wait(self, *, is_first: bool) -> stored.After:
        return stored.After(
            length=self.minutes * stored.MINUTE, of=self.of or _default_of(is_first)
        )


class AtRequest(Strict):
    """The first such local time so many days after the step before."""

    time: ClockTime
    days: Annotated[int, Exactly(), Ge(0), Le(stored.MAX_WAIT.days)] = 0
    zone: Zone = "app"

    def wait(self) -> stored.At:
        return stored.At(time=time.fromisoformat(self.time), days=self.days, zone=self.zone)


class ItemFilterRequest(Strict):
    """Limits of the items to choose from; all given ones apply."""

    model_config = ConfigDict(json_schema_extra=at_least_one)

    price: Range | None = None
    discount_percent: Range | None = None
    brand: Names | None = None

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.price is None and self.discount_percent is None and self.brand is None:
            raise ValueError("give at least one of price, discountPercent, brand")
        return self

    def filter(self) -> stored.ItemFilter:
        brand = tuple(self.brand or ())
        return stored.ItemFilter(
            price=self.price, discount_percent=self.discount_percent, brand=brand
        )


class ChooseRequest(Strict):
    """A choice of items; `else`: what is done where there are none."""

    source: stored.ItemSource = Field(alias="from")
    within: (
        Annotated[
            Literal["entry", "lastCategory"] | Names,
            one_of_kinds("must be `entry`, `lastCategory` or a list of 1 to 100 categories"),
        ]
        | None
    ) = Field(default=None, alias="in")
    where: ItemFilterRequest | None = None
    take: Annotated[int, Exactly(), Ge(1), Le(5)] = 1
    otherwise: Otherwise = Field(default="skip", alias="else")

    @model_validator(mode="after")
    def _check_source(self) -> Self:
        if self.within is not None and self.source not in BY_CATEGORY:
            message = f"goes with {', '.join(BY_CATEGORY[:-1])} and {BY_CATEGORY[-1]} only"
            raise invalid("choose", [FieldError("in", "not_for_source", message)])
        return self

    def choose(self) -> stored.Choose:
        within = tuple(self.within) if isinstance(self.within, list) else self.within
        otherwise = self.otherwise
        return stored.Choose(
            source=self.source,
            within=within,
            where=None if self.where is None else self.where.filter(),
            take=self.take,
            otherwise=otherwise.choose() if isinstance(otherwise, ChooseRequest) else otherwise,
        )


def _check_otherwise(value: Any) -> Any:
    """Read another choice here, so that an error in it names its path. Raises ValidationError."""
    if isinstance(value, dict):
        return ChooseRequest.model_validate(value)
    if isinstance(value, ChooseRequest) or value in ("skip", "without"):
        return value
    raise PydanticCustomError("union_type", "must be `skip`, `without` or another choice")


Otherwise = Annotated[ChooseRequest | stored.NoItem, BeforeValidator(_check_otherwise)]
ChooseRequest.model_rebuild()


def _check_depth(value: Any) -> Any:
    """Check how deep choices are in each other, before other code recurses. Raises ValidationError."""
    inner, path = value, []
    while isinstance(inner, dict) and isinstance(inner.get("else"), dict):
        inner = inner["else"]
        path.append("else")
        if len(path) > MAX_ELSE_DEPTH:
            message = f"a choice has at most {MAX_ELSE_DEPTH} others after it"
            raise invalid("choose", [FieldError(".".join(path), "too_deep", message)])
    return value


class StepRequest(Strict):
    """A step of a scenario."""

    id: ShortId
    campaign: Name
    after: AfterRequest | None = None
    at: AtRequest | None = None
    only: BoundedSegment | None = None
    choose: Annotated[ChooseRequest, BeforeValidator(_check_depth)] | None = None

    @model_validator(mode="after")
    def _check_one_wait(self) -> Self:
        if self.after is not None and self.at is not None:
            raise invalid(
                "step", [FieldError("at", "two_waits", "stands instead of after: leave out one")]
            )
        return self

    def step(self, *, is_first: bool) -> stored.Step:
        return stored.Step(
            id=self.id,
            campaign=self.campaign,
            wait=self._wait(is_first=is_first),
            only=self.only,
            choose=None if self.choose is None else self.choose.choose(),
        )

    def _wait(self, *, is_first: bool) -> stored.After | stored.At:
        if self.at is not None:
            return self.at.wait()
        if self.after is not None:
            return self.after.wait(is_first=is_first)
        return stored.After(length=timedelta(), of=_default_of(is_first))


def _default_of(is_first: bool) -> stored.WaitFrom:
    return "entry" if is_first else "previous"
