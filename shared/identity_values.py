"""Texts that stand where a name of somebody should: what a template or a script says of nobody.

Two people under one such login would be one person, so every way in that takes logins or visitor
ids asks here: events, imports, recipients of triggers, the command line. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection

_PLACEHOLDERS = frozenset(
    {
        "", "undefined", "null", "(null)", "none", "(none)", "nil", "nan", "n/a", "na", "void",
        "0", "0.0", "-1", "false", "true", "-", "_", "?", "empty", "(empty)",
        "not set", "not_set", "(not set)", "unknown", "anonymous", "guest",
        "00000000-0000-0000-0000-000000000000",
    }
)  # fmt: skip
# Of templates; and JavaScript's text of what is no text.
_MARKS = re.compile(r"\{\{|\$\{|\{%|<%|^\[object ")
MESSAGE = "is what a template or script writes where nobody is"


def is_placeholder_visitor(visitor_id: str) -> bool:
    """Tell whether a visitor id, which has no letters of templates, names nobody."""
    return visitor_id.lower() in _PLACEHOLDERS


def is_placeholder(value: str, allowed: Collection[str] = ()) -> bool:
    """Tell whether a login names nobody; `allowed` are those that an app really has."""
    text = value.strip().lower()
    is_nobody = text in _PLACEHOLDERS or _MARKS.search(text) is not None
    return is_nobody and value not in allowed
