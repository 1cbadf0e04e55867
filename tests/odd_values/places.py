"""Zones, languages and currencies as browsers, tools and shops write them; None says nothing."""

from __future__ import annotations

from typing import Any

ZONES: list[tuple[str, str | None]] = [
    ("Europe/Prague", "Europe/Prague"), ("europe/prague", "Europe/Prague"), ("UTC", "UTC"),
    ("utc", "UTC"), (" Europe/Prague ", "Europe/Prague"), ("Asia/Calcutta", "Asia/Calcutta"),
    ("Asia/Kolkata", "Asia/Kolkata"),
    ("America/Argentina/Buenos_Aires",) * 2, ("Etc/GMT-2", "Etc/GMT-2"),
    ("US/Pacific", "US/Pacific"), ("Europe/Kyiv", "Europe/Kyiv"), ("Europe/Kiev", "Europe/Kiev"),
    ("Etc/Unknown", None), ("undefined", None), ("Prague", None), ("Europe/Praha", None),
    ("+02:00", None), ("3600", None), ("Europe/Prague\x00", None), ("../etc/passwd", None),
    ("Factory", None), ("localtime", None), ("LOCALTIME", None), ("GMT+2", None), ("GMT", "GMT"),
    ("Europe/", None), ("{{ zone }}", None), ("x" * 64, None), ("Central European Standard Time", None),
]  # fmt: skip
LANGUAGES: list[tuple[str, str | None]] = [
    ("cs", "cs"), ("cs-CZ", "cs-CZ"), ("cs_CZ", "cs_CZ"), ("CS", "CS"), ("en-US", "en-US"),
    ("fil", "fil"),
    ("zh-Hans-CN", "zh-Hans-CN"), ("zh-Hant", "zh-Hant"), ("pt-BR", "pt-BR"), ("no", "no"),
    ("sr-Latn-RS", "sr-Latn-RS"), ("de-1996", "de-1996"), ("ca-valencia", "ca-valencia"), ("C", None),
    ("*", None), ("und", None), ("POSIX", None), ("cs_CZ.UTF-8", None), ("en-", None), ("-en", None),
    ("english", None), ("čeština", None), ("undefined", None), ("en;q=0.9", None), ("en,cs", None),
    ("1", None), ("root", None),
]  # fmt: skip
CURRENCIES: list[tuple[Any, str | None]] = [
    ("CZK", "CZK"), ("czk", "CZK"), (" EUR ", "EUR"), ("Kč", "CZK"), ("kč", "CZK"), ("€", "EUR"),
    ("£", "GBP"), ("zł", "PLN"), ("Ft", "HUF"), ("ft.", "HUF"), ("lei", "RON"), ("лв", "BGN"),
    ("$", None),
    ("kr", None), ("EURO", None), ("Eu", None), ("", None), (203, None), (True, None), ({}, None),
    ("NaN", None), ("nil", None), ("N/A", None), ("XXX", None), ("ABC", None), ("DEM", "DEM"),
    ("C\nK", None), ("CZK\n", "CZK"), ("ČZK", None), ("12K", None),
]  # fmt: skip
