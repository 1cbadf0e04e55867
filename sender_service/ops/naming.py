"""Ids in paths, whole or by their first letters: which one of the caller's apps is meant."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import Request

from sender_service.ops.auth import caller
from sender_service.store.prefixes import MOST_FOUND, PrefixReader
from shared.errors import Conflict, FieldError, NotFound
from shared.ids import is_uuid

PERSON_LETTERS = 32
BY_PREFIX = "the id, or its first letters: six at least, and no other begins with them"


class Names:
    """Every method raises NotFound, Conflict where several begin alike, StoreUnavailable."""

    def __init__(self, prefixes: PrefixReader) -> None:
        self._prefixes = prefixes

    async def send(self, request: Request, given: str) -> str:
        name = given.lower()
        if is_uuid(name):
            return name
        found = await self._prefixes.sends(name, caller(request).apps)
        return only_one(found, name, "send", "send")

    async def letter(self, request: Request, given: str) -> str:
        name = given.lower()
        if is_uuid(name):
            return name
        found = await self._prefixes.letters(name, caller(request).apps)
        return only_one(found, name, "dead letter", "dead_letter")

    async def person(self, request: Request, given: str) -> str:
        """Persons who were merged are found by their whole id only."""
        if len(given) >= PERSON_LETTERS:
            return given
        found = await self._prefixes.persons(given, caller(request).apps)
        return only_one(found or [given], given, "person", "person")


def only_one(found: Sequence[str], given: str, what: str, code: str) -> str:
    """Return the one that is meant. Raises NotFound, Conflict with the ids that begin so."""
    if not found:
        raise NotFound(f"no such {what}", code=f"unknown_{code}")
    if len(found) > 1 and given not in found:
        some = found[:MOST_FOUND]
        more = f" and {len(found) - len(some)} more" if len(found) > len(some) else ""
        errors = [FieldError(code, "ambiguous_id", name) for name in some]
        text = f"several begin with {given}: {', '.join(some)}{more}"
        raise Conflict(text, code="ambiguous_id", errors=errors)
    return given if given in found else found[0]
