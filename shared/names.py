"""Names of people and things as shops write them: one rule for ids, logins, emails and players.

Events, imports, triggers, segments and people search read names by it, so that one person has one name.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, StringConstraints
from pydantic_core import PydanticCustomError

from shared.identity_values import (
    MESSAGE,
    NO_VALUE,
    NO_VALUE_MESSAGE,
    is_no_value,
    is_placeholder,
)
from shared.ids import is_uuid
from shared.models.documented import AS_UUID
from shared.models.sentences import described

MAX_LOGIN = 256
MAX_EMAIL = 320
MAX_THING_ID = 128
MAX_EXACT_FLOAT = 2**53  # larger whole numbers that came as floats have lost digits
QUOTES = "'\""
_BLANKS = "\ufeff" + "".join(filter(str.isspace, map(chr, range(0x3001))))  # as JavaScript's trim
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def to_id(value: Any) -> str:
    """Return one id for `"'123'"`, `"123"`, 123 and 123.0. Raises PydanticCustomError."""
    if not isinstance(value, str):
        return _to_digits(value)
    text = value.strip()
    if not text.isascii():
        text = text.strip(_BLANKS)
    if text[-1:] in QUOTES and len(text) > 1 and text[0] == text[-1]:  # few end in one
        text = text[1:-1].strip()
    if not text.isprintable() and _CONTROL.search(text):
        raise PydanticCustomError("id_characters", "must not contain control characters")
    return text


def _to_digits(value: Any) -> str:
    if isinstance(value, float) and value.is_integer() and value < MAX_EXACT_FLOAT:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise PydanticCustomError("id_type", "must be a string or a whole number")


def to_thing_id(value: Any) -> str:
    """Return the id of an item, a category or an order. Raises PydanticCustomError."""
    text = to_id(value)
    if is_no_value(text):
        raise PydanticCustomError(NO_VALUE, NO_VALUE_MESSAGE)
    return text


def to_player_id(value: Any) -> str:
    """Return a UUID in lower case; ids that a provider's SDK made up locally are not players yet."""
    if isinstance(value, str) and value.startswith("local-"):
        raise PydanticCustomError(
            "local_player_id",
            "is the browser's own, not the provider's yet; send it once it is created",
        )
    if not is_uuid(value):
        raise PydanticCustomError("player_id", "must be a UUID")
    return str(value).lower()


def to_email(value: Any) -> Any:
    """Return it as it is, where no template or script wrote it. Raises PydanticCustomError."""
    text = str(value).strip().strip(QUOTES) if isinstance(value, str | int) else ""
    if text and not isinstance(value, bool) and is_placeholder(text):
        raise PydanticCustomError("placeholder_email", MESSAGE)
    return value


Login = Annotated[
    str, BeforeValidator(to_id), StringConstraints(min_length=1, max_length=MAX_LOGIN)
]
# By the rule that events' ids are read by: profiles hold what it makes of them.
ThingId = Annotated[
    str,
    BeforeValidator(to_thing_id),
    StringConstraints(strict=True, min_length=1, max_length=MAX_THING_ID),
]
PlayerId = Annotated[str, BeforeValidator(to_player_id), AS_UUID]
Email = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        to_lower=True,
        max_length=MAX_EMAIL,
        pattern=described(
            r"^[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+\z",
            "must be an email address, as jana@shop.example",
        ),
    ),
    BeforeValidator(to_email),
]
