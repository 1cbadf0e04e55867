"""Time zones, languages and currencies as reported, and which of them are usable."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache, lru_cache
from zoneinfo import available_timezones

from babel.core import get_global

LOCALE_CACHE_SIZE = 2_048
_NO_ZONES = frozenset({"factory", "localtime"})  # what a machine has where none is set
# BCP 47, roughly: a language, then subtags; POSIX's "cs_CZ.UTF-8" has an encoding behind it.
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*\Z")
_NO_LANGUAGE = frozenset({"und", "mul", "zxx", "mis", "root"})


# ISO 4217's codes, old ones too, without the one that says "none".
CURRENCY_CODES = frozenset(get_global("all_currencies")) - {"XXX"}


@lru_cache(LOCALE_CACHE_SIZE)
def known_time_zone(name: str) -> str | None:
    """Return the zone's own spelling; None for what is no zone, `Etc/Unknown` too."""
    return _zones().get(name.strip().lower())


def known_time_zones() -> Collection[str]:
    """Return all of them, in their own spelling."""
    return _zones().values()


@lru_cache(LOCALE_CACHE_SIZE)
def known_language(tag: str) -> str | None:
    """Return the tag as it came; None for `C`, `*`, `und` and what is no tag."""
    tag = tag.strip()
    if not _LANGUAGE.match(tag) or re.split("[-_]", tag)[0].lower() in _NO_LANGUAGE:
        return None
    return tag


@cache
def _zones() -> dict[str, str]:
    return {name.lower(): name for name in available_timezones() if name.lower() not in _NO_ZONES}
