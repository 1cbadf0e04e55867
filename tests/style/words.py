"""Words of a name, however they are joined."""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def split_name(name: str) -> list[str]:
    """Return the words of a camelCase, PascalCase, snake_case or spaced name, in lower case."""
    return [word.lower() for word in _WORD.findall(name)]


def word_set(text: str) -> frozenset[str]:
    """Return the words of a list that is separated by spaces."""
    return frozenset(text.split())
