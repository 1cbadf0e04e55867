"""What is kept of a page's address: no fragment, no user name, no value that is a secret. Pure.

The snippet applies the same rule in the browser (`js/30-visitor.js`, `maskedUrl`), so that a secret
is not sent; this is for servers, older snippets and pages that send by hand.
"""

from __future__ import annotations

import re
from collections.abc import Collection

MASK = "…"
# A name and its value; then the same in an address that is itself a value. A name ends at any separator,
# so the time is linear in the length.
_PAIR = re.compile(r"([?&;])([^?&;=]*)=([^?&;]+)")
_INNER_PAIR = re.compile(
    r"(%3F|%26)((?:(?!%3F|%26|%3D).)*)%3D((?:(?!%26).)+)", re.IGNORECASE | re.DOTALL
)
_ADDRESS = re.compile(r"@|%40")
_HUMP = re.compile(r"%..|([a-z])(?=[A-Z])")  # accessToken has two words, user%5Bemail%5D too
_NOT_A_LETTER = re.compile(r"[^a-z]+")
_USER = re.compile(r"^([a-z]*:?//)[^/?]*@", re.IGNORECASE)
_NOTHING_TO_MASK = frozenset("#?;@")


def mask_url(url: str, words: Collection[str]) -> str:
    """Drop the fragment and the user; mask each value whose name has one of these words."""
    if _NOTHING_TO_MASK.isdisjoint(url):
        return url
    return _mask_pairs(_USER.sub(r"\1", url.partition("#")[0]), _PAIR, words)


def _mask_pairs(text: str, pairs: re.Pattern[str], words: Collection[str]) -> str:
    def mask(pair: re.Match[str]) -> str:
        value = pair[3]
        start = pair[0][: -len(value)]
        parts = _NOT_A_LETTER.split(_HUMP.sub(r"\1 ", pair[2]).lower())
        if _ADDRESS.search(value) or not set(parts).isdisjoint(words):
            return start + MASK
        return pair[0] if pairs is _INNER_PAIR else start + _mask_pairs(value, _INNER_PAIR, words)

    return pairs.sub(mask, text)
