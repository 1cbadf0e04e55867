"""Masking of page addresses: no fragment, no user name, no secret value. Pure.

The snippet applies the same rule in the browser (`js/30-visitor.js`, `maskedUrl`), so that a secret
is not sent. This one is for servers, older snippets and pages with code of their own.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache

MASKED_VALUE = "…"
DECODINGS = 4  # an address may be a value of an address that is a value
_PAIR = re.compile(r"([?&;])([^?&;=]*)=([^?&;]+)")
_INNER_NAME = re.compile(r"[?&;#]([^?&;#=]*)=.")  # of a value that is itself an address
_ENCODED = re.compile(r"%([0-9a-fA-F]{2})")
_HUMP = re.compile(r"([a-z])(?=[A-Z])|([A-Z])(?=[A-Z][a-z])")  # accessToken, IDToken
_NON_ALPHABETIC = re.compile(r"[^a-z]+")
_USER = re.compile(r"^\s*([a-z][a-z0-9+.-]*:)?//[^/?]*@", re.IGNORECASE)
MAX_NAME = 32  # letters of a parameter's name that is kept in memory


def mask_url(url: str, words: Collection[str]) -> str:
    """Drop the fragment and the user; mask each value whose name has one of these words.

    A value that is an address of a person, or an address with such a name in it, is masked whole.
    """
    # The fast path of most addresses: each event has two of them.
    if not ("#" in url or ";" in url or "@" in url):
        if "?" not in url:
            return url
        if "%" not in url and _is_plain(url.partition("?")[2], tuple(words)):
            return url

    def mask(pair: re.Match[str]) -> str:
        if not _is_secret(_decode(pair[2]), _decode(pair[3]), words):
            return pair[0]
        return f"{pair[1]}{pair[2]}={MASKED_VALUE}"

    return _PAIR.sub(mask, _USER.sub(r"\1//", url.partition("#")[0]))


def _is_plain(query: str, words: tuple[str, ...]) -> bool:
    """Check quickly, for most addresses, that nothing is to be masked."""
    if "?" in query:
        return False
    names = [pair.partition("=")[0] for pair in query.split("&")]
    return not any(len(name) > MAX_NAME or _is_named_secret(name, words) for name in names)


@lru_cache(4_096)
def _is_named_secret(name: str, words: tuple[str, ...]) -> bool:
    return _has_word(name, words)


def _is_secret(name: str, value: str, words: Collection[str]) -> bool:
    if _has_word(name, words) or "@" in value:
        return True
    return any(_has_word(inner, words) for inner in _INNER_NAME.findall(value))


def _has_word(name: str, words: Collection[str]) -> bool:
    parts = _NON_ALPHABETIC.split(_HUMP.sub(r"\1\2 ", name).lower())
    return not set(parts).isdisjoint(words)


def _decode(text: str) -> str:
    """Decode repeatedly, as a reader of the address may. Only ASCII letters need to be right."""
    for _ in range(DECODINGS):
        if "%" not in text:
            break
        text = _ENCODED.sub(lambda sign: chr(int(sign[1], 16)), text)
    return text
