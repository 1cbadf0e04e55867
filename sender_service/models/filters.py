"""Filters, tests and methods that a push's text may use, with their costs.

What isn't listed doesn't exist. `tests/unit/sender/test_sandbox_surface.py` lists what Jinja2 and
Python offer. So additions of a new version are reviewed before use.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import wraps
from types import MappingProxyType
from typing import Any

import orjson
from jinja2.filters import FILTERS as THEIR_FILTERS
from jinja2.filters import do_default, sync_do_map
from jinja2.runtime import Context, Undefined
from jinja2.tests import TESTS as THEIR_TESTS
from jinja2.utils import pass_context
from markupsafe import escape

from sender_service.models.charging import (
    CALL_STEPS,
    Function,
    charged,
    check_attribute,
    for_numbers,
    lazy,
    ordering,
)
from sender_service.models.formats import offered_formats, plain_number
from sender_service.models.metering import TextFault, kind_of, meter
from sender_service.models.number_filters import offered_number_filters

FILTERS: Mapping[str, Any] = THEIR_FILTERS
TESTS: Mapping[str, Any] = THEIR_TESTS
MAX_LENGTH = 20_000  # characters of what is put together on the way to a text's 200
MAX_RANGE = 1_000

# Jinja2's own, each with how many times over it goes through its input.
PLAIN = MappingProxyType(
    {"abs": 1, "capitalize": 1, "count": 0, "dictsort": 20, "filesizeformat": 1,
     "first": 0, "items": 0, "last": 0, "length": 0, "lower": 1, "reverse": 1,
     "title": 16, "truncate": 1, "upper": 1, "urlencode": 16, "wordcount": 16}
)  # fmt: skip
OF_TEXT = frozenset({"capitalize", "lower", "title", "truncate", "upper", "urlencode", "wordcount"})
ORDERING = frozenset({"groupby", "max", "min", "sort", "unique"})  # they compare everything
LAZY = frozenset(
    {"reject", "rejectattr", "select", "selectattr"}
)  # charged by the turn, as `map` is
NUMERIC = frozenset({"abs", "float", "int", "length", "round"})  # what `map` may do to each
# Which argument after the value is the attribute; `map` has it by name only.
ATTRIBUTE_AT = MappingProxyType(
    {"groupby": 0, "join": 1, "map": None, "max": 1, "min": 1, "rejectattr": 0, "selectattr": 0,
     "sort": 2, "sum": 0, "unique": 1}
)  # fmt: skip
NUMBERS_ONLY = frozenset({"divisibleby", "even", "odd"})  # `%` formats texts
COMPARING = frozenset(
    {"!=", "<", "<=", "==", ">", ">=", "eq", "equalto", "ge", "greaterthan", "gt", "in", "le",
     "lessthan", "lower", "lt", "ne", "upper"}
)  # fmt: skip
LOOKING = frozenset(
    {"boolean", "callable", "defined", "escaped", "false", "filter", "float", "integer", "iterable",
     "mapping", "none", "number", "sameas", "sequence", "string", "test", "true", "undefined"}
)  # fmt: skip
# Methods, each with how many times over it goes through its owner.
TEXT_METHODS: Mapping[type, Mapping[str, int]] = MappingProxyType(
    {
        dict: dict.fromkeys(("get", "items", "keys", "values"), 0),
        str: dict.fromkeys(
            ("capitalize", "endswith", "isdigit", "lower", "lstrip", "rstrip", "startswith", "strip",
             "title", "upper"), 1
        ) | {"count": 2, "find": 2, "split": 8},
        list: {"count": 1, "index": 1},
    }
)  # fmt: skip


def offered_filters() -> dict[str, Function]:
    """Return the filters by name, each charged for what it does."""
    own: dict[str, Function] = {
        "d": _default, "default": _default, "e": _escape, "escape": _escape, "join": _join,
        "list": _list, "map": _map, "replace": _replace, "string": to_text, "tojson": _to_json,
        "trim": _trim, **offered_number_filters(),
    }  # fmt: skip
    plain = {name: charged(FILTERS[name], times) for name, times in PLAIN.items()}
    plain |= {name: _of_text(plain[name]) for name in OF_TEXT}
    comparing = {name: ordering(FILTERS[name]) for name in ORDERING}
    by_turn = {name: lazy(FILTERS[name]) for name in LAZY}
    return plain | comparing | by_turn | own | offered_formats()


def offered_tests() -> dict[str, Function]:
    """Return the tests by name, each charged for what it compares."""
    comparing = {name: charged(TESTS[name], 1, nullable=True) for name in COMPARING}
    looking = {name: charged(TESTS[name], 0, nullable=True) for name in LOOKING}
    looking |= {"defined": _is_defined, "undefined": _is_undefined}
    numeric = {name: for_numbers(TESTS[name]) for name in NUMBERS_ONLY}
    return comparing | looking | numeric


def short_text(pieces: Iterable[str]) -> str:
    """Join the pieces. Raises TextFault if the text is too long."""
    kept, length = [], 0
    for piece in pieces:
        length += len(piece)
        if length > MAX_LENGTH:
            raise TextFault(f"a text: at most {MAX_LENGTH} characters")
        kept.append(piece)
    return "".join(kept)


def short_range(*bounds: int) -> range:
    steps = range(*bounds)
    if len(steps) > MAX_RANGE:
        raise TextFault(f"range: at most {MAX_RANGE}")
    return steps


def to_text(value: object) -> str:
    """Return a value as readable text, numbers as people write them. Raises TextFault."""
    if isinstance(value, str):
        return value
    if isinstance(value, Undefined):
        return str(value)  # of an `if` without an `else`: nothing; of what is missing: an error
    if value is None:
        raise TextFault("a value is null")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TextFault(f"{kind_of(value)} is no text")
    return plain_number(value)


def _of_text(function: Function) -> Function:
    skipped = 1 if hasattr(function, "jinja_pass_arg") else 0

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        text = to_text(args[skipped])
        return str(function(*args[:skipped], text, *args[skipped + 1 :], **kwargs))

    return run


@wraps(do_default)
def _default(value: Any, *args: Any, **kwargs: Any) -> Any:
    """Return the default for `null` as for an absent value."""
    meter.charge(CALL_STEPS)
    default = args[0] if args else kwargs.get("default_value", "")
    return default if value is None else do_default(value, *args, **kwargs)


def _is_defined(value: Any) -> bool:
    meter.charge(CALL_STEPS)
    return value is not None and not isinstance(value, Undefined)


def _is_undefined(value: Any) -> bool:
    return not _is_defined(value)


def _escape(value: object) -> str:
    text = short_text((to_text(value),))
    meter.charge(len(text))
    return str(escape(text))


def _join(values: Iterable[Any], between: object = "", attribute: str | None = None) -> str:
    check_attribute(attribute)
    gap = to_text(between)

    def pieces() -> Iterator[str]:
        for index, value in enumerate(meter.each(values, 3)):
            if index:
                yield gap
            yield to_text(value if attribute is None else value[attribute])

    return short_text(pieces())


def _list(values: Iterable[Any]) -> list[Any]:
    meter.charge(CALL_STEPS)
    return list(meter.each(values, 1))


@pass_context
def _map(context: Context, values: Iterable[Any], *filters: str, **how: Any) -> Iterable[Any]:
    """Yield an attribute or a number of each item."""
    # Other filters could make a larger value of each.
    if len(filters) > 1 or any(name not in NUMERIC for name in filters):
        raise TextFault("map takes attribute, or one of " + ", ".join(sorted(NUMERIC)))
    check_attribute(how.get("attribute"))
    meter.charge(CALL_STEPS)
    return sync_do_map(context, values, *filters, **how)


def _replace(text: object, old: object, new: object) -> str:
    text, old, new = to_text(text), to_text(old), to_text(new)
    meter.charge(CALL_STEPS + 2 * meter.weigh(text) + meter.weigh(old) + meter.weigh(new))
    if len(text) + text.count(old) * len(new) > MAX_LENGTH:
        raise TextFault(f"a text: at most {MAX_LENGTH} characters")
    return text.replace(old, new)


def _to_json(value: object) -> str:
    meter.charge(CALL_STEPS + 4 * meter.weigh(value))
    return short_text((orjson.dumps(value).decode(),))


def _trim(text: object) -> str:
    text = to_text(text)
    meter.charge(meter.weigh(text))
    return text.strip()
