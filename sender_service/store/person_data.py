"""One person's data in the ingest service's collections, to find, display and export."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal, cast

from shared.documents.merge import Merge
from shared.documents.profile import Profile
from shared.documents.visitor import Visitor
from shared.mongo.client import Collection, Database, Document, translate_mongo_errors
from shared.mongo.collections import MERGES, PLAYERS, PROFILES, VISITORS
from shared.mongo.whole_reads import read_all, walk_index

NameKind = Literal["login", "visitor", "player", "email", "person"]
Fields = dict[str, int] | None  # all of them
A_READ = 20  # a browser's document may have half a MiB
PERSON_NAMES_A_READ = 1_000


@dataclass(frozen=True)
class PersonNames:
    """A person's profile and all ids of it outside the sender, without a limit."""

    profile: Profile
    ids: frozenset[str]  # also of those that were merged into it and not parted again
    player_ids: frozenset[str]
    visitor_ids: frozenset[str]

    @property
    def app(self) -> str:
        return str(self.profile["app"])


class PersonDataReader:
    """Reads one person. Every method raises StoreUnavailable when MongoDB is away."""

    def __init__(self, database: Database) -> None:
        self._profiles = database[PROFILES.name]
        self._players = database[PLAYERS.name]
        self._merges = database[MERGES.name]
        self._visitors = database[VISITORS.name]

    async def search(self, app: str, kind: NameKind, name: str) -> list[Profile]:
        """Return the profiles that have this name, last seen first."""
        if kind == "player":
            found = await self._of_player(app, name)
        elif kind == "person":
            profile = await self.profile(name)
            found = [] if profile is None else [profile]
        elif kind == "visitor":
            found = await _all(self._profiles, {"visitors": name})
        else:
            found = await _all(self._profiles, {"app": app, kind: name})
        mine = [profile for profile in found if profile["app"] == app]
        return sorted(mine, key=lambda p: (p["lastSeenAt"], p["_id"]), reverse=True)

    async def _of_player(self, app: str, player: str) -> list[Profile]:
        with translate_mongo_errors():
            entry = await self._players.find_one({"_id": player})
        if entry is None or entry["app"] != app:
            return []
        profile = await self.profile(str(entry["person"]))
        return [] if profile is None else [profile]

    async def profile(self, person: str) -> Profile | None:
        """Return the profile of a person, or of the person it was merged into."""
        with translate_mongo_errors():
            found = await self._profiles.find_one({"_id": person})
            if found is None:
                merge = await self._merges.find_one({"_id": person})
                if merge is not None and not merge.get("undone"):
                    found = await self._profiles.find_one({"_id": merge["person"]})
        return cast(Profile | None, found)

    async def known(self, person: str) -> PersonNames | None:
        profile = await self.profile(person)
        if profile is None:
            return None
        return PersonNames(
            profile,
            ids=frozenset({profile["_id"]} | {name async for name in self.aliases_of(profile)}),
            player_ids=frozenset({name async for name in self.players_of(profile)}),
            visitor_ids=frozenset({name async for name in self.visitors_of(profile)}),
        )

    async def visitors_of(self, profile: Profile) -> AsyncIterator[str]:
        """Yield the person's visitor ids, present ones first; a profile lists only some."""
        listed = [*profile["visitors"], *profile["pastVisitors"]]
        for name in dict.fromkeys(listed):
            yield name
        async for browser in self._browsers(profile, {"visitor": 1}):
            if browser.get("visitor") and browser["visitor"] not in listed:
                yield str(browser["visitor"])

    async def players_of(self, profile: Profile) -> AsyncIterator[str]:
        async for player in self.players(profile, {"_id": 1}):
            yield str(player["_id"])

    async def aliases_of(self, profile: Profile) -> AsyncIterator[str]:
        """Yield the ids of persons that were merged into it, without undone merges."""
        listed = profile["aliases"]
        for name in listed:
            yield name
        async for merge in self.merges(profile, {"undone": 1}):
            if not merge.get("undone") and merge["_id"] not in listed:
                yield str(merge["_id"])

    async def merge(self, profile: Profile, merge: str) -> Merge | None:
        owned = {"_id": merge, "app": profile["app"], "person": profile["_id"]}
        with translate_mongo_errors():
            return cast(Merge | None, await self._merges.find_one(owned))

    def players(self, profile: Profile, fields: Fields = None) -> AsyncIterator[Document]:
        return _each(self._players, _owned(profile), fields)

    def merges(self, profile: Profile, fields: Fields = None) -> AsyncIterator[Document]:
        return _each(self._merges, _owned(profile), fields)

    async def browsers(self, profile: Profile) -> AsyncIterator[Visitor]:
        async for browser in self._browsers(profile, None):
            yield cast(Visitor, browser)

    def _browsers(self, profile: Profile, fields: Fields) -> AsyncIterator[Document]:
        return _each(self._visitors, {"persons": profile["_id"]}, fields)


def _owned(profile: Profile) -> Document:
    return {"app": profile["app"], "person": profile["_id"]}


async def _each(collection: Collection, query: Document, fields: Fields) -> AsyncIterator[Document]:
    """Yield documents, a few at a time: a person may have any number of them."""
    with translate_mongo_errors():
        at_once = A_READ if fields is None else PERSON_NAMES_A_READ
        async for document in walk_index(collection, query, fields, at_once=at_once):
            yield document


async def _all(collection: Collection, query: Document) -> list[Profile]:
    with translate_mongo_errors():
        return cast(list[Profile], await read_all(collection, query))
