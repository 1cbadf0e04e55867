"""Unreadable names of a list: each is skipped and counted, and the first ones are reported. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from pydantic import ValidationError

from shared.errors import FieldError, InvalidPayload
from shared.identity_values import MESSAGE, is_placeholder, is_placeholder_visitor
from shared.ids import is_person_id, is_visitor_id
from shared.models.strict import EXTRA_FORBIDDEN, first_findings, message_of

MAX_NAMED = 100  # that a send's answer lists
LISTS = (("recipients",), ("audience", "logins"), ("audience", "visitors"), ("audience", "players"))
NIL = "00000000-0000-0000-0000-000000000000"
NOT_A_VISITOR = ("visitor_id", "must have 1 to 64 letters, digits, or any of _ - . :")
NOT_A_PERSON = (
    "person_id",
    "must be a person's whole id, 32 digits or letters from a to f, as `person search` shows it",
)
Place = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BadName:
    """An unreadable name. `index`: its position in the list, from 0."""

    index: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Malformed:
    """The number of names that were left out, and the first of them."""

    count: int = 0
    names: tuple[BadName, ...] = ()

    def with_name(self, name: BadName) -> Malformed:
        return Malformed(self.count + 1, (*self.names, name)[:MAX_NAMED])

    def limited(self, names: int) -> Malformed:
        """Return it with so many names at most."""
        return Malformed(self.count, self.names[:names])


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A trigger without its unreadable names. `is_empty`: no name is left."""

    rest: dict[str, Any]
    malformed: Malformed = Malformed()
    field: str = ""
    is_empty: bool = False
    places: list[int] | None = None  # where those that are left stood


def leave_out(value: dict[str, Any], error: ValidationError) -> LeftOut:
    """Leave out the names that an error is about.

    Unknown keys stay: they are handled as everywhere else.
    """
    place, bad = _find_bad(error)
    if not bad:
        return LeftOut(value)
    *outer, field = place
    holder = value[outer[0]] if outer else value
    places = [index for index in range(len(holder[field])) if index not in bad]
    changed = {**holder, field: [holder[field][index] for index in places]}
    named = tuple(name for name in bad.values() if name is not None)
    rest = {**value, outer[0]: changed} if outer else changed
    return LeftOut(rest, Malformed(len(bad), named), ".".join(place), not places, places)


def _find_bad(error: ValidationError) -> tuple[Place, dict[int, BadName | None]]:
    """Return the list with errors and its bad names by index, with the first error of each."""
    found: dict[Place, dict[int, BadName | None]] = {place: {} for place in LISTS}
    for finding in first_findings(error, error.error_count()):
        place, index, *rest = _split(finding["loc"])
        if place and finding["type"] != EXTRA_FORBIDDEN and index not in found[place]:
            bad = BadName(index, finding["type"], _sentence(rest, message_of(finding)))
            found[place][index] = bad if len(found[place]) < MAX_NAMED else None
    return next(((place, bad) for place, bad in found.items() if bad), ((), {}))


def _split(path: Any) -> tuple[Any, ...]:
    """Return (the list, the index in it, what is within that name), or ((), -1) for anything else."""
    steps = tuple(path)
    for place in LISTS:
        length = len(place)
        if steps[:length] == place and len(steps) > length and isinstance(steps[length], int):
            return place, steps[length], *steps[length + 1 :]
    return (), -1


def _sentence(path: list[Any], message: str) -> str:
    field = ".".join(str(step)[:64] for step in path)
    return f"{field}: {message}" if field else message


def why_nobody(kind: str, name: str, allowed: Collection[str]) -> tuple[str, str] | None:
    """Return the code and message if it names nobody, else None. `allowed`: the app's real logins."""
    if kind == "login":
        return ("placeholder_login", MESSAGE) if is_placeholder(name, allowed) else None
    if kind == "player":
        return ("placeholder_player", MESSAGE) if name == NIL else None
    if kind == "person":
        return None if is_person_id(name) else NOT_A_PERSON
    if is_placeholder_visitor(name):
        return "placeholder_visitor", MESSAGE
    return None if is_visitor_id(name) else NOT_A_VISITOR


def refuse_all(found: LeftOut) -> InvalidPayload:
    """Return the error of a list in which no name is left."""
    named = found.malformed.names
    errors = [FieldError(f"{found.field}.{b.index}", b.code, b.message) for b in named]
    text = f"{found.field}: none of {found.malformed.count} names can be read"
    return InvalidPayload(
        f"{text}; the first: {named[0].message}", code="no_recipients", errors=errors
    )


def count_malformed(by_part: Mapping[str, Malformed]) -> int:
    return sum(part.count for part in by_part.values())


def room_left(by_part: Mapping[str, Malformed]) -> int:
    """Return how many more names may be stored for a send."""
    return max(0, MAX_NAMED - sum(len(part.names) for part in by_part.values()))


def show_malformed(by_part: Mapping[str, Malformed]) -> list[dict[str, Any]]:
    """Return the first names of all parts, in order, with the part's number if it has one."""
    return list(_in_order(by_part))[:MAX_NAMED]


def _in_order(by_part: Mapping[str, Malformed]) -> Iterator[dict[str, Any]]:
    for part in sorted(by_part, key=int):
        for name in sorted(by_part[part].names, key=attrgetter("index")):
            item = {"index": name.index, "code": name.code, "message": name.message}
            yield {**item, "part": int(part)} if int(part) else item
