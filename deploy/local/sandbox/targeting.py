"""Targets of a notification, and those of them that cannot be reached; pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

from deploy.local.sandbox.errors import NO_TARGET, refuse
from deploy.local.sandbox.models import Desk, Json
from deploy.local.sandbox.notifications import is_uuid

IDS_MAX = 2_000
ID_FIELDS = {
    "include_subscription_ids": "subscription_id",
    "include_player_ids": "player_id",
}
METHODS = (
    *ID_FIELDS,
    "include_aliases",
    "include_external_user_ids",
    "included_segments",
    "filters",
)
EVERYONE = {"subscribed users", "total subscriptions", "all"}


@dataclass(slots=True)
class Targets:
    players: list[str]
    errors: Json = field(default_factory=dict)
    invalid: int = 0


def find_targets(desk: Desk, body: Json) -> Targets:
    methods = [name for name in METHODS if body.get(name)]
    if not methods:
        raise refuse(400, NO_TARGET)
    if len(methods) > 1:
        raise refuse(400, f"You may only use one targeting method: {', '.join(methods)}")
    method = methods[0]
    if method in ID_FIELDS:
        return _by_ids(desk, method, body[method])
    if method == "included_segments":
        return _by_segments(desk, body[method], body.get("excluded_segments"))
    if method == "filters":
        raise refuse(400, "filters are not supported by this sandbox")
    return _by_people(desk, method, body)


def _by_ids(desk: Desk, method: str, ids: object) -> Targets:
    if not isinstance(ids, list):
        raise refuse(400, f"{method} must be an array")
    _check_count(method, len(ids))
    known = desk.browsers
    if any(id_ not in known and not is_uuid(id_) for id_ in _hashable(method, ids)):
        listed = orjson.dumps(ids).decode()
        raise refuse(
            400, f"Incorrect {ID_FIELDS[method]} format in {method} (not a valid UUID): {listed}"
        )
    players, invalid = _split(desk, dict.fromkeys(id_.lower() for id_ in ids))
    errors = {"invalid_player_ids": invalid} if invalid else {}
    return Targets(players, errors, len(invalid))


def _hashable(method: str, ids: list[Any]) -> list[str]:
    if not all(isinstance(id_, str) for id_ in ids):
        listed = orjson.dumps(ids).decode()
        raise refuse(
            400, f"Incorrect {ID_FIELDS[method]} format in {method} (not a valid UUID): {listed}"
        )
    return ids


def _split(desk: Desk, ids: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the subscribed ids, and the unsubscribed ones. Unknown ids are silently ignored."""
    players: list[str] = []
    invalid: list[str] = []
    for id_ in ids:
        browser = desk.browsers.get(id_)
        if browser is None:
            continue
        (players if browser.subscribed else invalid).append(id_)
    return players, invalid


def _by_segments(desk: Desk, included: object, excluded: object) -> Targets:
    for names in (included, excluded or []):
        if not isinstance(names, list):
            raise refuse(400, "included_segments and excluded_segments must be arrays")
        for name in names:
            if str(name).lower() not in EVERYONE:
                raise refuse(400, f"Could not find segment: {name}")
    if excluded:
        return Targets([])
    return Targets([id_ for id_, browser in desk.browsers.items() if browser.subscribed])


def _by_people(desk: Desk, method: str, body: Json) -> Targets:
    aliases = _read_aliases(method, body)
    _check_count(method, sum(len(values) for values in aliases.values()))
    players: dict[str, None] = {}
    invalid: dict[str, list[str]] = {}
    count = 0
    pairs = [(label, value) for label, values in aliases.items() for value in values]
    for label, value in pairs:
        user = desk.aliases.get((label, value), "")
        good, bad = _split(desk, desk.user_browsers.get(user, []))
        players.update(dict.fromkeys(good))
        count += len(bad)
        if bad:  # one entry per unsubscribed subscription, so values repeat
            invalid.setdefault(label, []).extend([value] * len(bad))
    if method == "include_external_user_ids" and invalid:
        return Targets(list(players), {"invalid_external_user_ids": invalid["external_id"]}, count)
    return Targets(list(players), {"invalid_aliases": invalid} if invalid else {}, count)


def _read_aliases(method: str, body: Json) -> dict[str, list[str]]:
    value = body[method]
    if method == "include_external_user_ids":
        value = {"external_id": value}
    elif body.get("target_channel") != "push":
        raise refuse(400, "target_channel must be push when include_aliases is used")
    is_map = isinstance(value, dict) and all(isinstance(ids, list) for ids in value.values())
    if not is_map:
        raise refuse(400, f"{method} must be an object of labels and arrays of ids")
    return {label: [str(id_) for id_ in ids] for label, ids in value.items()}


def _check_count(method: str, count: int) -> None:
    if count > IDS_MAX:
        raise refuse(400, f"{method} may contain at most {IDS_MAX} ids, this has {count}")
