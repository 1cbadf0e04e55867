"""Reasons why a text isn't JSON: line, column and reason, without the text itself."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

OTHERWISE = "it is written as JSON doesn't allow"
A_WORD = "true, false and null are the only words without quotes"
HALF = "a text has half a character: an emoji was cut"
A_VALUE = "a value is expected: a text in double quotes, a number, true, false, null, […] or {…}"
# The parser's beginnings of sentences → ours.
REASONS: Mapping[str, str] = {
    "Input is a zero-length": "it is empty",
    "unexpected end of data": "it ends too early: a quote or a bracket isn't closed",
    "trailing comma": "a comma stands after the last entry",
    "unexpected character, expected a string key": "a key in double quotes is expected",
    "unexpected character, expected ':'": "a colon is expected after the key",
    "unexpected character, expected ',' or '}'": "a comma or a } is expected",
    "unexpected character, expected ',' or ']'": "a comma or a ] is expected",
    "unexpected character, expected a JSON value": A_VALUE,
    "number is infinity": "a number is too large",
    "number with leading zero": "a number begins with a 0",
    "no digit": "a number ends too early",
    "unexpected control character": r"a text has a control character; a line break is written \n",
    "invalid escaped": r"a text has a backslash that means nothing; one by itself is written \\",
    "unexpected content": "something follows after its end",
    "depth limit": "it is nested too deep",
    "invalid literal": A_WORD,
    "no low surrogate": HALF,
    "invalid high surrogate": HALF,
    "invalid low surrogate": HALF,
}
JSON_NOT_UTF8 = "it is not UTF-8: save it as that"


def describe_fault(
    body: bytes | str, error: orjson.JSONDecodeError, *, is_line: bool = False
) -> str:
    """Return "line 3, column 8: a comma or a } is expected"; for one line of a list only its column."""
    found = next((ours for theirs, ours in REASONS.items() if error.msg.startswith(theirs)), None)
    line, column, reason = error.lineno, error.colno, found or OTHERWISE
    if error.msg.startswith("str is not valid UTF-8"):
        line, column = _first_broken(body)
        reason = JSON_NOT_UTF8
    place = f"column {column}" if is_line else f"line {line}, column {column}"
    return f"{place}: {reason}"


def _first_broken(body: bytes | str) -> tuple[int, int]:
    """Return the line and column of the first letter that is none in UTF-8."""
    try:
        (body.encode if isinstance(body, str) else body.decode)()
    except (UnicodeDecodeError, UnicodeEncodeError) as exc:
        before = body[: exc.start]
        text = before if isinstance(before, str) else before.decode()
        return text.count("\n") + 1, len(text) - text.rfind("\n")
    return 1, 1
