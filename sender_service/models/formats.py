"""Numbers, amounts, dates and plurals in the language of the text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from math import isfinite
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal
from jinja2.runtime import Context
from jinja2.utils import pass_context

from sender_service.models.charging import Function
from sender_service.models.metering import TextFault, kind_of, meter

LANGUAGE = "_language"  # of the text, in its context: no name that a text can ask for
TIME_ZONE = "_time_zone"  # of the person
MAX_EXACT = 2**53  # above it a float is a neighbour of what was meant
SIGNIFICANT = ".15g"  # digits that a float has for certain: 0.1 + 0.2 is 0.3
MAX_DECIMALS = 6
FORMAT_STEPS = 500  # Babel takes some 40 µs
DATE_LENGTHS = frozenset({"short", "medium", "long", "full"})
PLURALS: Mapping[int, tuple[str, ...]] = {
    2: ("one", "other"),
    3: ("one", "few", "other"),
    4: ("one", "few", "many", "other"),
}


def plain_number(value: float) -> str:
    """Return a number without an exponent and without `.0`. Raises TextFault."""
    if isinstance(value, int):
        return str(value)
    if not isfinite(value) or abs(value) > MAX_EXACT:
        raise TextFault("a number is too large to be exact")
    if value == int(value):
        return str(int(value))
    return format(Decimal(format(value, SIGNIFICANT)), "f")


def offered_formats() -> dict[str, Function]:
    return {"date": _date, "money": _money, "number": _number, "plural": _plural}


@lru_cache(maxsize=64)
def _locale(language: str) -> Locale:
    """Return the locale of `zh-Hans`, `de-AT` or `de`; English if the language is unknown."""
    try:
        return Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        base = language.partition("-")[0]
        return Locale.parse("en") if base == language else _locale(base)


def _locale_of(context: Context) -> Locale:
    meter.charge(FORMAT_STEPS)
    return _locale(str(context.parent.get(LANGUAGE) or "en"))


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TextFault(f"a number is expected, not {kind_of(value)}")
    return Decimal(plain_number(value))


def _pattern(decimals: Any) -> str:
    if not isinstance(decimals, int) or not 0 <= decimals <= MAX_DECIMALS:
        raise TextFault(f"decimals: 0 to {MAX_DECIMALS}")
    return "#,##0" + ("." + "0" * decimals if decimals else "")


def _rounded(amount: Decimal, decimals: int) -> Decimal:
    """Round the decimal as it is written, a half away from zero: Babel takes the even neighbour."""
    step = Decimal(1).scaleb(-decimals)
    is_shorter = amount == amount.to_integral_value() or amount.as_tuple().exponent >= -decimals  # type: ignore[operator]
    return amount if is_shorter else amount.quantize(step, rounding=ROUND_HALF_UP)


@pass_context
def _number(context: Context, value: Any, decimals: int | None = None) -> str:
    """Format a number: `1234.5|number` is `1,234.5`, in Czech `1 234,5`."""
    pattern = "#,##0.######" if decimals is None else _pattern(decimals)
    amount = _rounded(_decimal(value), MAX_DECIMALS if decimals is None else decimals)
    return str(format_decimal(amount, format=pattern, locale=_locale_of(context)))


@pass_context
def _money(context: Context, value: Any, decimals: int = 2, currency: str | None = None) -> str:
    """Format an amount: `19.9|money` is `19.90`; `19.9|money(2, 'CZK')` in Czech `19,90 Kč`."""
    locale, amount = _locale_of(context), _decimal(value)
    if currency is None:
        pattern = _pattern(decimals)
        return str(format_decimal(_rounded(amount, decimals), format=pattern, locale=locale))
    if not isinstance(currency, str) or len(currency) != 3 or not currency.isalpha():
        raise TextFault("currency: a code of three letters, as EUR")
    pattern = _pattern(decimals)
    rounded = _rounded(amount, decimals)
    written = locale.currency_formats["standard"].pattern.replace("#,##0.00", pattern)
    return str(
        format_currency(
            rounded, currency.upper(), format=written, locale=locale, currency_digits=False
        )
    )


@pass_context
def _date(context: Context, value: Any, length: str = "long") -> str:
    """Format a date in the person's time zone: `'2027-03-05'|date` is `March 5, 2027`."""
    locale = _locale_of(context)
    if length not in DATE_LENGTHS:
        raise TextFault("date: short, medium, long or full")
    return str(format_date(_day(value, context.parent.get(TIME_ZONE)), length, locale))


def _day(value: Any, zone: Any) -> date:
    if isinstance(value, str) and len(value) <= 40:
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            value = None
    if not isinstance(value, datetime):
        raise TextFault("date: as 2027-03-05, or as 2027-03-05T12:00:00Z")
    if value.tzinfo is None:
        return value.date()
    try:
        return value.astimezone(ZoneInfo(str(zone or "UTC"))).date()
    except (KeyError, ValueError, OSError, OverflowError):
        return value.astimezone(UTC).date()


@pass_context
def _plural(context: Context, count: Any, *forms: str, **named: str) -> str:
    """Choose a plural: `n|plural('item', 'items')`; Czech `n|plural('věc', 'věci', 'věcí')`."""
    if forms:
        if len(forms) not in PLURALS:
            raise TextFault("plural: two, three or four forms")
        named = dict(zip(PLURALS[len(forms)], forms, strict=True)) | named
    form = _locale_of(context).plural_form(abs(_decimal(count)))
    found = named.get(form, named.get("other"))
    if not isinstance(found, str):
        raise TextFault("plural: the form `other` is missing")
    return found
