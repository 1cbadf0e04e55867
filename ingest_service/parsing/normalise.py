"""Normalisation of the loose values that shops send (docs/persoo.md): ids, names, amounts."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from shared.identity_values import NO_VALUE
from shared.ids import is_uuid
from shared.locales import CURRENCY_CODES
from shared.names import QUOTES, to_thing_id

MAX_ID = 128
MAX_LISTED_NAMES = 50  # of a list that is only descriptive
MOST = 1e12
_PLAIN = re.compile(r"[0-9]{1,15}(\.[0-9]{1,10})?\Z")
# As the snippet's `number` (snippet/js/50-layer.js); tests/odd_values/amounts.py holds them together.
# Negative: signs before a number, or right behind it ("1.249,-" is none).
_NEGATIVE = re.compile(r"[(−–-][^0-9]*[0-9]|[0-9][\s\ufeff]*[−–-]")
# One number, with text without digits around it: a currency, a unit.
_AMOUNT = re.compile(
    r"(?:[^0-9]*(?:[A-Za-z]\.|[^0-9.,]))?([.,]?[0-9](?:[0-9\s\ufeff.,'’]*[0-9])?[.,]?)[^0-9]*\Z"
)
_GROUPS = re.compile(
    r"^(?![0-9]+\.[0-9]*\Z)[1-9][0-9]{0,2}([,.\s\ufeff'’])([0-9]{2,3}\1)*[0-9]{3}(?!\1|[0-9])"
)
_DECIMAL = re.compile(r"[0-9]*\.?[0-9]*\Z")
MAX_AMOUNT = 128  # letters that are read
_SIGNS = {"kč": "CZK", "€": "EUR", "£": "GBP", "zł": "PLN", "ft": "HUF", "lei": "RON", "лв": "BGN"}


def to_amount(value: Any) -> int | float:
    """Return a number, or the number in a text ("1.234,50 €"); whole ones as integers.

    "1,234" is in thousands, "1.234" a decimal, as the snippet reads them.
    """
    if isinstance(value, str):
        value = float(value) if _PLAIN.match(value) else _read_amount(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PydanticCustomError("amount", "must be a number, not negative")
    return int(value) if float(value).is_integer() else value


def _read_amount(text: str) -> float:
    """Read the number in a text. Raises PydanticCustomError if it isn't one, or is negative."""
    text = text.strip()[:MAX_AMOUNT]
    found = None if _NEGATIVE.search(text) else _AMOUNT.match(text)
    if found is not None:
        plain = _GROUPS.sub(_join_digits, found[1], count=1).replace(",", ".", 1)
        if _DECIMAL.match(plain):
            return float(plain)
    raise PydanticCustomError("amount", "must be a number, not negative")


def _join_digits(group: re.Match[str]) -> str:
    return re.sub("[^0-9]", "", group[0])


def to_currency(value: Any) -> Any:
    """Return the code of a currency sign; other values unchanged."""
    text = value.strip() if isinstance(value, str) else value
    return _SIGNS.get(text.lower().rstrip("."), text) if isinstance(text, str) else text


def check_currency(code: str) -> str:
    """Return the code. Raises PydanticCustomError for letters that no currency has: `NaN`, `nil`."""
    if code not in CURRENCY_CODES:
        raise PydanticCustomError("currency", "must be a code of ISO 4217, as EUR")
    return code


def is_blank(value: Any) -> bool:
    """Check whether a value is a blank text, as a shop's template writes for no value."""
    return isinstance(value, str) and not value.strip(f" \t\r\n{QUOTES}")


def to_uuid(value: Any) -> str:
    if not is_uuid(value):
        raise PydanticCustomError("uuid", "must be a UUID")
    return str(value).lower()


def to_name(value: Any) -> str | None:
    """Return an id or a name, or the first of a list; None for other values.

    Raises PydanticCustomError only for a text that stands for no value, so that the sender is warned.
    """
    try:
        text = to_thing_id(value[0] if isinstance(value, list) and value else value)
    except PydanticCustomError as exc:
        if exc.type == NO_VALUE:
            raise
        return None
    return text if 0 < len(text) <= MAX_ID else None


def to_names(separator: str) -> Callable[[Any], list[str] | None]:
    """Return a reader of lists of ids or names, or a text of them.

    Persoo's plugin writes `"1:12"` and `"['1','2']"`. Invalid names are left out. The reader raises
    PydanticCustomError for a list in which all texts stand for no value.
    """

    def read(value: Any) -> list[str] | None:
        parts = _parts(value, separator) if isinstance(value, str) else value
        if isinstance(parts, int | float):
            parts = [parts]
        if not isinstance(parts, list):
            return None
        parts = parts[:MAX_LISTED_NAMES]
        try:
            return [name for name in map(to_name, parts) if name] or None
        except PydanticCustomError:
            return _read_despite_no_values(parts)

    return read


def _read_despite_no_values(parts: list[Any]) -> list[str]:
    """Return the names among the parts. Raises PydanticCustomError if no name is left."""
    names, refusal = [], None
    for part in parts:
        try:
            names.append(to_name(part))
        except PydanticCustomError as exc:
            refusal = exc
    found = [name for name in names if name]
    if refusal is not None and not found:
        raise refusal
    return found


def _parts(text: str, separator: str) -> list[str]:
    text = text.strip()
    if not text.startswith("["):
        return text.split(separator)
    parts = text.strip("[]").split(",")
    # The snippet cuts long texts, here within the last name.
    return parts if text.endswith("]") else parts[:-1]


def to_count(value: Any) -> int | float | None:
    """Return a count: a number, or a list's length; None for other values."""
    try:
        count = len(value) if isinstance(value, list) else to_amount(value)
    except (PydanticCustomError, OverflowError):
        return None
    return count if 0 <= count <= MOST else None


Id = Annotated[
    str, BeforeValidator(to_thing_id), StringConstraints(min_length=1, max_length=MAX_ID)
]
Amount = Annotated[
    int | float,
    BeforeValidator(to_amount),
    Field(ge=0, le=MOST),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": MOST}),
]
Uuid = Annotated[str, BeforeValidator(to_uuid)]
_NAME = {"type": "string", "minLength": 1, "maxLength": MAX_ID}
_NAMES = WithJsonSchema({"type": "array", "items": _NAME, "maxItems": MAX_LISTED_NAMES})
Name = Annotated[str | None, BeforeValidator(to_name), WithJsonSchema(_NAME)]
Path = Annotated[list[str] | None, BeforeValidator(to_names(":")), _NAMES]  # from the root on
Ids = Annotated[list[str] | None, BeforeValidator(to_names(",")), _NAMES]
Count = Annotated[
    int | float | None,
    BeforeValidator(to_count),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": MOST}),
]
