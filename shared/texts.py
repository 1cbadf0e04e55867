"""Shortening of sentences that must fit somewhere."""

from __future__ import annotations

GOES_ON = "…"


def shorten(text: str, most: int) -> str:
    """Return at most so many characters: a longer text ends after a word, with a sign that it goes on."""
    if len(text) <= most:
        return text
    head = text[: most - len(GOES_ON)]
    whole, _, rest = head.rpartition(" ")
    return (whole if whole and len(rest) < most // 2 else head) + GOES_ON
