"""Functions of Jinja2, charged for their work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from typing import Any

from sender_service.models.metering import TextFault, meter

Function = Callable[..., Any]

MAX_ATTRIBUTE = 64  # characters of `attribute="a.b"`
MAX_ATTRIBUTE_PARTS = 8
CALL_STEPS = 5


def check_attribute(name: object) -> None:
    """Check that the attribute is a short path, as each item looks up each part. Raises TextFault."""
    if not isinstance(name, str):
        return
    if len(name) > MAX_ATTRIBUTE or name.count(".") + name.count(",") >= MAX_ATTRIBUTE_PARTS:
        raise TextFault(f"attribute: at most {MAX_ATTRIBUTE} characters")


def _charge_call(times: int, values: Iterable[Any]) -> None:
    steps = CALL_STEPS
    if times:
        for value in values:
            steps += times * meter.weigh(value)
    meter.charge(steps)


def _skipped(function: Function) -> int:
    """Return the number of arguments before the value: 1 for an environment or a context."""
    return 1 if hasattr(function, "jinja_pass_arg") else 0


def charged(function: Function, times: int, *, nullable: bool = False) -> Function:
    """Return the function, charged for so many passes through all arguments."""
    skipped = _skipped(function)

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        if not nullable and args[skipped] is None:
            raise TextFault("a value is null")
        _charge_call(times, [*args[skipped:], *kwargs.values()] if times else ())
        return function(*args, **kwargs)

    return run


def ordering(function: Function) -> Function:
    """Return the function, charged for sorting: each item is compared with a logarithm of the
    others."""
    skipped = _skipped(function)

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        before, value, more = args[:skipped], args[skipped], args[skipped + 1 :]
        for option in (*more, *kwargs.values()):
            check_attribute(option)
        items = list(meter.each(value, 2))
        rounds = max(len(items), 1).bit_length()
        meter.charge(CALL_STEPS + 30 * len(items) + rounds * meter.weigh(items))
        made = function(*before, items, *more, **kwargs)
        return list(made) if isinstance(made, Iterator) else made

    return run


def lazy(function: Function) -> Function:
    """Return the function, charged for the call only: iterating charges for the items."""
    skipped = _skipped(function)

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        for option in args[skipped + 1 : skipped + 2]:
            check_attribute(option)
        meter.charge(CALL_STEPS)
        return function(*args, **kwargs)

    return run


def for_numbers(function: Function) -> Function:
    """Return the function for numbers only: `%` would format texts, to any length."""

    @wraps(function)
    def run(*args: Any) -> Any:
        meter.charge(CALL_STEPS)
        if not all(isinstance(number, int | float) for number in args):
            raise TextFault("only numbers are even, odd or divisible")
        return function(*args)

    return run
