"""Entry rules as people write them, in `enter`: `on` says the kind, its parameters stand beside it."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Annotated, Any, Literal

from annotated_types import Ge, Le
from pydantic import (
    BaseModel,
    Field,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic import Strict as Exactly
from pydantic_core import PydanticCustomError

from sender_service.models.scenario import entry_rules as rules
from sender_service.models.scenario.entry_values import Days, EventType, Scalar, StoredMoment
from sender_service.models.scenario.values import Differing, FieldName, invalid
from sender_service.models.segment import Names
from sender_service.models.segment_values import Strict
from shared.errors import FieldError
from shared.models.quiet_hours import ClockTime
from shared.nearest import did_you_mean

AN_ENTRY = 'must be an object with `on`, as {"on": "basket"}'


class EnterBasket(Strict):
    """The basket changed, and has a line in it."""

    on: Literal["basket"]

    def rule(self) -> rules.EntryRule:
        return rules.OnBasket()


class EnterViewed(Strict):
    """An item's page. `atLeast`: different items that match, within 7 days."""

    on: Literal["viewed"]
    items: Names | None = None
    categories: Names | None = None
    at_least: Annotated[int, Exactly(), Ge(1), Le(10)] = 1

    def rule(self) -> rules.EntryRule:
        items, categories = tuple(self.items or ()), tuple(self.categories or ())
        return rules.OnViewed(items=items, categories=categories, at_least=self.at_least)


class EnterCategory(Strict):
    """A category's page."""

    on: Literal["category"]
    ids: Names | None = None

    def rule(self) -> rules.EntryRule:
        return rules.OnCategory(ids=tuple(self.ids or ()))


class EnterBought(Strict):
    """An order; each has a run of its own."""

    on: Literal["bought"]
    items: Names | None = None
    categories: Names | None = None

    def rule(self) -> rules.EntryRule:
        return rules.OnBought(
            items=tuple(self.items or ()), categories=tuple(self.categories or ())
        )


class EnterIdentified(Strict):
    """A login became known."""

    on: Literal["identified"]

    def rule(self) -> rules.EntryRule:
        return rules.OnIdentified()


class EnterSubscribed(Strict):
    """The first player of the person subscribed."""

    on: Literal["subscribed"]

    def rule(self) -> rules.EntryRule:
        return rules.OnSubscribed()


class EnterEvent(Strict):
    """An event of the shop's own type, whose data has the values of `where`. `key`: a run each value."""

    on: Literal["event"]
    type: EventType
    where: Annotated[dict[FieldName, Scalar], Field(min_length=1, max_length=5)] | None = None
    key: FieldName | None = None

    def rule(self) -> rules.EntryRule:
        where = tuple(sorted((self.where or {}).items(), key=lambda pair: pair[0]))
        return rules.OnEvent(type=self.type, where=where, key=self.key)


class EnterDaily(Strict):
    """A time of day, on some days of the week or all."""

    on: Literal["daily"]
    at: ClockTime
    days: Annotated[list[rules.Weekday], Field(min_length=1), Differing] | None = None
    zone: rules.Zone = "app"

    def rule(self) -> rules.EntryRule:
        days = tuple(day for day in rules.WEEKDAYS if day in (self.days or ()))
        return rules.OnDaily(at=time.fromisoformat(self.at), days=days, zone=self.zone)


class EnterOnce(Strict):
    """One moment."""

    on: Literal["once"]
    at: StoredMoment

    def rule(self) -> rules.EntryRule:
        return rules.OnOnce(at=self.at)


class EnterSegment(Strict):
    """Daily, who fulfils `if`."""

    on: Literal["segment"]
    at: ClockTime

    def rule(self) -> rules.EntryRule:
        return rules.OnSegment(at=time.fromisoformat(self.at))


class EnterNewIn(Strict):
    """Daily, when items came into the catalogue within so many days."""

    on: Literal["newIn"]
    at: ClockTime
    days: Days = 7

    def rule(self) -> rules.EntryRule:
        return rules.OnNewIn(at=time.fromisoformat(self.at), days=self.days)


class EnterPriceDrop(Strict):
    """A price fell by so many percent, of an item that was viewed within so many days."""

    on: Literal["priceDrop"]
    percent: Annotated[int, Exactly(), Ge(1), Le(90)] = 5
    viewed_within: Days = 30

    def rule(self) -> rules.EntryRule:
        within = timedelta(days=self.viewed_within)
        return rules.OnPriceDrop(percent=self.percent, viewed_within=within)


class EnterBackInStock(Strict):
    """An item is in stock again that was viewed within so many days."""

    on: Literal["backInStock"]
    viewed_within: Days = 30

    def rule(self) -> rules.EntryRule:
        return rules.OnBackInStock(viewed_within=timedelta(days=self.viewed_within))


Entry = (
    EnterBasket | EnterViewed | EnterCategory | EnterBought | EnterIdentified | EnterSubscribed
    | EnterEvent | EnterDaily | EnterOnce | EnterSegment | EnterNewIn | EnterPriceDrop
    | EnterBackInStock
)  # fmt: skip
ENTRIES: dict[str, type[Entry]] = {
    "basket": EnterBasket,
    "viewed": EnterViewed,
    "category": EnterCategory,
    "bought": EnterBought,
    "identified": EnterIdentified,
    "subscribed": EnterSubscribed,
    "event": EnterEvent,
    "daily": EnterDaily,
    "once": EnterOnce,
    "segment": EnterSegment,
    "newIn": EnterNewIn,
    "priceDrop": EnterPriceDrop,
    "backInStock": EnterBackInStock,
}


def _read_entry(value: Any, _: ValidatorFunctionWrapHandler) -> Entry:
    """Return the entry of its `on`, so that an error names one path, not thirteen."""
    if isinstance(value, BaseModel):
        return value  # type: ignore[return-value]
    if not isinstance(value, dict):
        raise PydanticCustomError("entry_type", AN_ENTRY)
    on = value.get("on")
    if not isinstance(on, str) or on not in ENTRIES:
        hint = did_you_mean(on, ENTRIES) if isinstance(on, str) else ""
        one_of = f"must be one of {', '.join(ENTRIES)}{hint}"
        raise invalid("enter", [FieldError("on", "unknown_entry", one_of)])
    model = ENTRIES[on]
    if unknown := _unknown_keys(model, on, value):
        raise invalid("enter", unknown)
    return model.model_validate(value)


def _unknown_keys(model: type[Entry], on: str, value: dict[str, Any]) -> list[FieldError]:
    """Return an error for each key that this entry doesn't take, though another may."""
    known = [field.alias or name for name, field in model.model_fields.items()]
    return [
        FieldError(str(key), "unknown_key", f"is unknown for {on}{did_you_mean(str(key), known)}")
        for key in value
        if key not in known
    ]


EntryField = Annotated[Entry, Field(discriminator="on"), WrapValidator(_read_entry)]
