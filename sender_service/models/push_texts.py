"""Texts and links of a push as people get them: texts aren't blank, links are URLs."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from urllib.parse import urlsplit

from sender_service.models.origins import is_no_address

MAX_PREVIEW_TEXT = 200  # characters; browsers cut sooner (docs/persoo.md)
MAX_LINK = 2_000
# Tabs and ends of lines are blanks; blanks that keep a number and its unit together stay.
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_BLANKS = re.compile(r"[^\S\u00a0\u202f]+")
_NOT_IN_LINKS = re.compile(r"[\s\x00-\x20\x7f-\x9f]")
# Up to what ends the host, and two slashes that may follow: they make a scheme of it.
_ORIGIN = re.compile(r"https?://[^/?#]*(//)?", re.IGNORECASE)
_NEVER_IN_HOSTS = frozenset("\\<>^|")  # browsers read a backslash as the slash that ends the host
_SECOND_SCHEMES = ("/http//", "/https//", "://")
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters and a pattern without any ink


def check_text(text: str) -> str:
    """Return the text as it is displayed. Raises ValueError."""
    if not (text.isascii() and text.isprintable()):  # what most texts are
        if _CONTROL.search(text):
            raise ValueError("a text has a control character in it")
        text = _BLANKS.sub(" ", text)
    elif "  " in text:
        text = _BLANKS.sub(" ", text)
    text = text.strip(" ")
    if not any(map(_is_visible, text)):
        raise ValueError("a text is empty")
    if len(text) > MAX_PREVIEW_TEXT:
        raise ValueError(f"a text has more than {MAX_PREVIEW_TEXT} characters")
    return _whole(text)


def _is_visible(character: str) -> bool:
    if character.isalnum():
        return character not in _FILLERS
    return unicodedata.category(character)[0] not in "CZ" and character not in _FILLERS


def check_link(link: str) -> str:
    """Return the link as browsers follow it. Raises ValueError."""
    link = link.strip()
    if _NOT_IN_LINKS.search(link):
        raise ValueError("a link has a blank or a control character in it")
    origin = _ORIGIN.match(link)
    if origin is None or len(link) > MAX_LINK or not _is_origin(origin[0]):
        raise ValueError("a link is not an http(s) URL, as https://shop.example/basket is")
    return _whole(link)


@lru_cache(maxsize=1_024)
def _is_origin(origin: str) -> bool:
    """Return whether it is a scheme and a host, with an optional port."""
    # Cached: a send's links have few origins.
    try:
        parts = urlsplit(origin)
        host, port = parts.hostname or "", parts.port
    except ValueError:  # a bracket without its other, or a port above 65535
        return False
    if port == 0 or origin.lower().endswith(_SECOND_SCHEMES):
        return False
    if _NEVER_IN_HOSTS.intersection(origin) or is_no_address(host):
        return False
    labels = host.removesuffix(".").split(".")
    return all(any(map(str.isalnum, label)) for label in labels) or ":" in host


def _whole(text: str) -> str:
    """Return the text if it can be encoded. Raises ValueError."""
    # A template can write half a character (`"\ud800"`), which no JSON can contain.
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("a text has half a character in it") from None
    return text
