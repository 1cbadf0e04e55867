"""Filters that make numbers: `int`, `float`, `round`, `sum`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jinja2.filters import FILTERS, do_round

from sender_service.models.charging import CALL_STEPS, Function, check_attribute
from sender_service.models.metering import TextFault, kind_of, meter

MAX_PRECISION = 15
MAX_WHOLE = 2**63
MAX_DIGITS = 40  # of a text that becomes a number
_NO_DEFAULT = object()


def offered_number_filters() -> dict[str, Function]:
    return {"float": _float, "int": _int, "round": _round, "sum": _sum}


def _int(value: Any, default: Any = _NO_DEFAULT, base: int = 10) -> Any:
    number = _to_number("int", value, default, base)
    if isinstance(number, int) and abs(number) > MAX_WHOLE:
        raise TextFault("int: a number is too large")
    return number


def _float(value: Any, default: Any = _NO_DEFAULT) -> Any:
    return _to_number("float", value, default)


def _to_number(name: str, value: Any, default: Any, *more: Any) -> Any:
    """Return the number, or the default where one is given. Raises TextFault."""
    meter.charge(CALL_STEPS)
    if isinstance(value, str) and len(value) > MAX_DIGITS:
        raise TextFault(f"{name}: at most {MAX_DIGITS} digits")
    number = FILTERS[name](value, default, *more)
    if number is _NO_DEFAULT:
        what = "this text is none" if isinstance(value, str) else f"not {kind_of(value)}"
        raise TextFault(f"{name}: a number is expected, {what}")
    return number


def _round(number: float, precision: int = 0, method: Any = "common") -> float:
    meter.charge(CALL_STEPS)
    if not isinstance(number, int | float) or not isinstance(precision, int):
        raise TextFault("round: of numbers only")  # of a text it would be a repetition
    if not -MAX_PRECISION <= precision <= MAX_PRECISION:
        raise TextFault(f"round: at most {MAX_PRECISION} digits")
    return do_round(number, precision, method)


def _sum(values: Iterable[Any], attribute: str | None = None) -> float:
    check_attribute(attribute)
    total: float = 0
    for value in meter.each(values, 3):
        number = value if attribute is None else value[attribute]
        if not isinstance(number, int | float):
            raise TextFault("sum: of numbers only")
        total += number
    return total
