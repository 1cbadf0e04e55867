"""The columns of OneSignal's exports, by all their names, and what stands in one when nothing does."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from shared.names import QUOTES

Row = Mapping[str, str]
NAMES = {
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
PERSON = "onesignal_id"  # names a person of OneSignal's, not a subscription
# What tools write where there is nothing: pandas, Java, JavaScript, databases, spreadsheets.
_ABSENT = frozenset({"", "nan", "null", "none", "nil", "undefined", "(null)", "n/a", "#n/a"})
_ABSENT_EXACTLY = frozenset({"NaT", "<NA>", "\\N"})  # in other letters they may be a name
_FLOAT = re.compile(r"(-?\d{1,15})\.0+\Z")
_SEPARATORS = str.maketrans(" -", "__")


def column(name: str) -> str:
    """`"Device Type"` and `device_type` are one column."""
    return name.strip().lstrip("\ufeff").strip(QUOTES).strip().lower().translate(_SEPARATORS)


def texts(row: Row, what: str, allowed: Collection[str] = ()) -> Iterator[str]:
    """Yield what stands in the columns of this meaning; `allowed` are texts that do say something."""
    for name in NAMES[what]:
        text = row.get(name, "").strip()
        bare = unquote(text)
        if bare in allowed or not (bare.lower() in _ABSENT or bare in _ABSENT_EXACTLY):
            yield text


def unquote(text: str) -> str:
    """Return what stands within a pair of quotes, as names are read everywhere."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in QUOTES:
        return text[1:-1].strip()
    return text


def find(row: Row, what: str, allowed: Collection[str] = ()) -> str:
    """Return the first of them, or an empty text."""
    return next(texts(row, what, allowed), "")


def whole(text: str) -> str:
    """Return `5` for `5.0`: tools that know no empty whole number make all of a column fractions."""
    found = _FLOAT.match(text)
    return found[1] if found else text


def missing(columns: Collection[str]) -> list[str]:
    """Return a sentence for each thing that a file of these columns doesn't say."""
    return [
        sentence
        for meanings, sentence in _UNKNOWN
        if not any(name in columns for meaning in meanings for name in NAMES[meaning])
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
