"""Columns of OneSignal's exports, by all their names, and texts that stand for no value."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from shared.names import QUOTES

Row = Mapping[str, str]
COLUMN_NAMES = {
    "player": ("id", "player_id", "subscription_id"),
    "login": ("external_user_id", "external_id"),
    "timeZone": ("timezone_id", "time_zone", "timezone"),
    "language": ("language", "language_code"),
    "tags": ("tags",),
    "device": ("device_type", "channel", "subscription_type"),
    "seen": ("last_active", "last_session", "created_at", "first_session"),
    "types": ("notification_types",),
    "subscribed": ("subscribed", "is_subscribed", "subscription_status"),
    "invalid": ("invalid_identifier",),
}
PERSON_COLUMN = "onesignal_id"  # names a person of OneSignal's, not a subscription
# Texts that tools write for no value: pandas, Java, JavaScript, databases, spreadsheets.
_ABSENT = frozenset({"", "nan", "null", "none", "nil", "undefined", "(null)", "n/a", "#n/a"})
_ABSENT_EXACTLY = frozenset({"NaT", "<NA>", "\\N"})  # in other case they may be a name
_FLOAT = re.compile(r"(-?\d{1,15})\.0+\Z")
_SEPARATORS = str.maketrans(" -", "__")


def column(name: str) -> str:
    """Return a column's normalised name: `"Device Type"` becomes `device_type`."""
    return name.strip().lstrip("\ufeff").strip(QUOTES).strip().lower().translate(_SEPARATORS)


def texts(row: Row, what: str, allowed: Collection[str] = ()) -> Iterator[str]:
    """Yield the texts of a meaning's columns; `allowed` texts always count as values."""
    for name in COLUMN_NAMES[what]:
        text = row.get(name, "").strip()
        bare = unquote(text)
        if bare in allowed or not (bare.lower() in _ABSENT or bare in _ABSENT_EXACTLY):
            yield text


def unquote(text: str) -> str:
    """Return a text without a pair of quotes around it, as all names are read."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in QUOTES:
        return text[1:-1].strip()
    return text


def find(row: Row, what: str, allowed: Collection[str] = ()) -> str:
    """Return the first text of a meaning's columns, or an empty one."""
    return next(texts(row, what, allowed), "")


def whole(text: str) -> str:
    """Return `5` for `5.0`: some tools write a column with empty cells as fractions."""
    found = _FLOAT.match(text)
    return found[1] if found else text


def missing(columns: Collection[str]) -> list[str]:
    """Return a sentence for each meaning that no column of the file has."""
    return [
        sentence
        for meanings, sentence in _UNKNOWN
        if not any(name in columns for meaning in meanings for name in COLUMN_NAMES[meaning])
    ]


_UNKNOWN = (
    (
        ("types", "subscribed"),
        "who unsubscribed: all whose token is valid come in as subscribed"
        " (ask the export for the extra field `notification_types`)",
    ),
    (
        ("login",),
        "who is logged in: all come in as anonymous (extra field `external_user_id`)",
    ),
    (
        ("timeZone",),
        "time zones: quiet hours use the app's (extra field `timezone_id`)",
    ),
    (("language",), "languages: texts in `en` are sent until a browser says its own"),
    (("device",), "which browser it is, and whether it is one: every row is taken for web push"),
    (("tags",), "tags"),
)
