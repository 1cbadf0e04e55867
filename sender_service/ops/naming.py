"""Ids in paths, whole or by their first letters, among the caller's apps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from fastapi import Request

from sender_service.models.access import Apps
from sender_service.ops.auth import current_principal
from sender_service.store.prefixes import MOST_FOUND, PrefixReader
from shared.errors import Conflict, FieldError, NotFound
from shared.ids import HEAD_LETTERS, is_uuid

PERSON_LETTERS = 32
PERSON_NAME = ("person", "person search")  # what it is, and the command that shows ids
ID_OR_PREFIX = "the id, or its first letters: six at least, and no other begins with them"

Find = Callable[[str, Apps], Awaitable[list[str]]]


class Names:
    """Finds whole ids. All methods raise NotFound, Conflict where several match, StoreUnavailable."""

    def __init__(self, prefixes: PrefixReader) -> None:
        self._prefixes = prefixes

    async def send(self, request: Request, given: str) -> str:
        return await _uuid(request, given, self._prefixes.sends, "send", "send list")

    async def dead_letter(self, request: Request, given: str) -> str:
        find = self._prefixes.dead_letters
        return await _uuid(request, given, find, "dead letter", "dead-letters list")

    async def person(self, request: Request, given: str) -> str:
        """Return the person's id; a whole id is returned unchecked."""
        # A merged person is found by the whole id only.
        if len(given) >= PERSON_LETTERS:
            return given
        found = await self._prefixes.persons(given, current_principal(request).apps)
        return only_one(found or [given], given, *PERSON_NAME)


async def _uuid(request: Request, given: str, find: Find, what: str, command: str) -> str:
    name = given.lower()
    if is_uuid(name):
        return name
    return only_one(await find(name, current_principal(request).apps), name, what, command)


def only_one(found: Sequence[str], given: str, what: str, command: str) -> str:
    """Return the one match. Raises NotFound, Conflict with the ids that match."""
    code = what.replace(" ", "_")
    if not found:
        raise NotFound(f"no such {what}: {_why_none(given, what, command)}", code=f"unknown_{code}")
    if len(found) > 1 and given not in found:
        some = found[:MOST_FOUND]
        more = f" and {len(found) - len(some)} more" if len(found) > len(some) else ""
        errors = [FieldError(code, "ambiguous_id", name) for name in some]
        text = f"several begin with {given}: {', '.join(some)}{more}"
        raise Conflict(text, code="ambiguous_id", errors=errors)
    return given if given in found else found[0]


def no_such_person(given: str) -> NotFound:
    """Return the error, which mentions an id that isn't whole."""
    why = "" if len(given) >= PERSON_LETTERS else f": {_why_none(given, *PERSON_NAME)}"
    return NotFound(f"no such person{why}", code="unknown_person")


def not_an_id(what: str, command: str) -> str:
    """Return the sentence for a text that is neither an id nor the start of one."""
    return (
        f"must be the whole id of a {what}, or its first letters, {HEAD_LETTERS} at least;"
        f" `{command}` shows ids"
    )


def _why_none(given: str, what: str, command: str) -> str:
    """Explain why nothing matches, without the given text, which may be anything."""
    if len(given) < HEAD_LETTERS:
        return f"it {not_an_id(what, command)}"
    return f"this is not a whole id, and no {what}'s id begins so; `{command}` shows ids"
