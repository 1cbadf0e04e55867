"""Texts that stand where a value should: those that a template or script writes without one.

Two people under one such login would be one person. So every entrance of logins or visitor ids checks
here: events, imports, recipients of triggers, the command line. The browser snippet is served with
the same list, as `PATTERN`. Ids of things are checked by fewer words, since `0` and `unknown` may be
an item's. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection

_BRACKETED = ("empty", "none", "not set", "null")  # also without brackets
_WORDS = (
    "undefined", "nil", "nan", "n/a", "na", "void", "0", "0.0", "-1", "false", "true", "-", "_", "?",
    "not_set", "unknown", "anonymous", "guest", "[]", "{}",
)  # fmt: skip
_ZERO_UUID = "00000000-0000-0000-0000-000000000000"
_PLACEHOLDERS = frozenset(
    {"", *_WORDS, *_BRACKETED, *(f"({word})" for word in _BRACKETED), _ZERO_UUID}
)
_NO_VALUES = frozenset(
    {"undefined", "null", "nan", "none", "nil", "not set", "[]", "{}"}
    | {f"({word})" for word in _BRACKETED}
)
NO_VALUE_STARTS = frozenset(
    " uUnN([{$<#%@*"
)  # of texts that are no values: most ids and addresses end here
# Of templates; and JavaScript's text of what is no text.
_MARKS_PATTERN = r"[{$#%@]{|{[$#%]|<[%?]|[*][|]|^\[object "  # `{` and `{}` need no backslash
_MARKS = re.compile(_MARKS_PATTERN)
# Letters that nobody sees: soft hyphens, joiners, marks of direction, blanks that aren't called so.
_UNSEEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0"
)
_INVISIBLE = re.compile(f"[{_UNSEEN}]")
# For the browser: of lower-case texts that aren't empty. It says the same in Python and in JavaScript,
# and is short, for it is part of a script that stays small. `undefined@undefined` is nobody either.
PATTERN = "^(({}|({})|[(]({})[)]|0{{8}}(-0{{4}}){{3}}-0{{12}})(@|$))+$|{}".format(
    "|".join(re.sub("[.?]", r"[\g<0>]", word).replace("[]", r"\[]") for word in _WORDS),
    *["|".join(_BRACKETED)] * 2,
    _MARKS_PATTERN,
)
_ADDRESS = re.compile(PATTERN)
MESSAGE = "names nobody: a template or a script wrote it where there was no value"
NO_VALUE = "no_value"  # the code that goes with the next
NO_VALUE_MESSAGE = "is what a template or script writes where it has no value"


def is_placeholder_visitor(visitor_id: str) -> bool:
    """Check whether a visitor id, which has no letters of templates, is a placeholder."""
    return visitor_id.lower() in _PLACEHOLDERS


def is_placeholder(value: str, allowed: Collection[str] = ()) -> bool:
    """Check whether a login is a placeholder; `allowed` are those that an app really has."""
    text = value.strip().lower()
    if not text.isascii():
        text = _INVISIBLE.sub("", text).strip()
    is_nobody = text in _PLACEHOLDERS or _MARKS.search(text) is not None
    if not is_nobody and "@" in text:
        is_nobody = _ADDRESS.search(text) is not None
    return is_nobody and value not in allowed


def is_no_value(text: str) -> bool:
    """Check whether a text stands where a thing's id or an address should."""
    if text[:1] not in NO_VALUE_STARTS and "{" not in text and "<" not in text:
        return False
    bare = text.strip().lower()
    return bare in _NO_VALUES or _MARKS.search(bare) is not None
