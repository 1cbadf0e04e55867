"""Sentences for Pydantic's findings: each states what is expected, in plain words.

No sentence holds the value, which may be personal. Patterns have words of their own, given where the
pattern is (`text_like`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import (
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ErrorType

A_TEXT = "must be a text, in quotes"
A_DATE_TIME = "must be a date and time, as 2027-01-31T10:00:00Z"
A_WHOLE_NUMBER = "must be a whole number, as 3"
A_NUMBER = "must be a number, as 0.5"
YES_OR_NO = "must be true or false"
AN_OBJECT = "must be an object, {{…}}"  # in a format
A_LIST = "must be a list, […]"
# Pydantic's type of error → what is expected; `{…}` are the limits that the model sets.
SENTENCES: Mapping[str, str] = {
    "missing": "is required",
    "extra_forbidden": "is unknown",
    "none_required": "must be null, or left out",
    "invalid_key": "must have texts as its keys",
    "json_invalid": "is not JSON",
    "json_type": "is not JSON",
    "model_type": AN_OBJECT,
    "model_attributes_type": AN_OBJECT,
    "dict_type": AN_OBJECT,
    "mapping_type": AN_OBJECT,
    "list_type": A_LIST,
    "tuple_type": A_LIST,
    "set_type": A_LIST,
    "frozen_set_type": A_LIST,
    "iterable_type": A_LIST,
    "too_short": "must have at least {min_length} entries",
    "too_long": "must have at most {max_length} entries",
    "string_type": A_TEXT,
    "string_sub_type": A_TEXT,
    "string_unicode": "must be a text in UTF-8",
    "bytes_type": A_TEXT,
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "bool_type": YES_OR_NO,
    "bool_parsing": YES_OR_NO,
    "int_type": A_WHOLE_NUMBER,
    "int_parsing": A_WHOLE_NUMBER,
    "int_from_float": A_WHOLE_NUMBER,
    "int_parsing_size": "must be a smaller whole number",
    "float_type": A_NUMBER,
    "float_parsing": A_NUMBER,
    "decimal_type": A_NUMBER,
    "decimal_parsing": A_NUMBER,
    "finite_number": "must be a finite number",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "multiple_of": "must be a multiple of {multiple_of}",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "datetime_type": A_DATE_TIME,
    "datetime_parsing": A_DATE_TIME,
    "datetime_object_invalid": A_DATE_TIME,
    "datetime_from_date_parsing": A_DATE_TIME,
    "timezone_aware": "must have its time zone, as in 2027-01-31T10:00:00Z",
    "date_type": "must be a date, as 2027-01-31",
    "date_parsing": "must be a date, as 2027-01-31",
    "date_from_datetime_parsing": "must be a date, as 2027-01-31",
    "date_from_datetime_inexact": "must be a date, as 2027-01-31",
    "time_type": "must be a time of day, as 22:00",
    "time_parsing": "must be a time of day, as 22:00",
    "time_delta_type": "must be a number of seconds, as 30",
    "time_delta_parsing": "must be a number of seconds, as 30",
    "url_type": "must be an address, as https://shop.example",
    "url_parsing": "must be an address, as https://shop.example",
    "uuid_type": "must be a UUID",
    "uuid_parsing": "must be a UUID",
}
UNEXPECTED = "is not what is expected here"
UNDESCRIBED = "must be written otherwise: some of its signs are not for this field"
_KINDS = frozenset(get_args(ErrorType))
_OWN = frozenset({"value_error", "assertion_error"})
_WORDS: dict[str, str] = {}  # pattern → words


def text_like(pattern: str, words: str) -> StringConstraints:
    """Return the constraint that a text fits the pattern; `words` explain it, with an example."""
    return StringConstraints(pattern=described(pattern, words))


def described(pattern: str, words: str) -> str:
    """Register the words of a pattern; return the pattern."""
    _WORDS[pattern] = words
    return pattern


def one_of_kinds(words: str) -> WrapValidator:
    """Return the check that a value is of one kind or another: one sentence, not one for each kind."""

    def read(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        try:
            return handler(value)
        except ValidationError:
            raise PydanticCustomError("union_type", words) from None

    return WrapValidator(read)


def words_of(pattern: str) -> str:
    return _WORDS.get(pattern, UNDESCRIBED)


def sentence_of(kind: str, message: str, context: Mapping[str, Any] | None = None) -> str:
    """Return the sentence for a finding; the `message` itself, where a check of ours made it."""
    if kind in _OWN:
        return message.removeprefix("Value error, ").removeprefix("Assertion failed, ")
    if kind not in _KINDS:
        return message
    limits = {name: _written(limit) for name, limit in (context or {}).items()}
    if kind == "string_pattern_mismatch":
        return words_of(limits.get("pattern", ""))
    if limits.get("min_length") == "1":
        return "must not be empty"
    try:
        return _singular(SENTENCES[kind].format_map(limits))
    except KeyError:
        return UNEXPECTED


def _written(limit: Any) -> str:
    """Write a limit as JSON has it: 0 for 0.0, true for True."""
    if isinstance(limit, float) and limit.is_integer():
        return str(int(limit))
    return {"True": "true", "False": "false"}.get(str(limit), str(limit))


def _singular(text: str) -> str:
    return text.replace(" 1 characters", " 1 character").replace(" 1 entries", " 1 entry")
