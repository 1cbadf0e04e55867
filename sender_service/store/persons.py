"""One person, as the ingest service's collections know them: looked up, shown, exported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from shared.collections import MERGES, PLAYERS, PROFILES, VISITORS
from shared.mongo import Collection, Database, Document, translate_mongo_errors

NameKind = Literal["login", "visitor", "player", "email"]


@dataclass(frozen=True)
class Known:
    """Everything that is kept of a person outside the sender."""

    profile: Document
    players: list[Document]
    merges: list[Document]
    visitors: list[Document]

    @property
    def ids(self) -> frozenset[str]:
        """The person's id, and the ids of those that were merged into it and not parted again."""
        merged = {str(merge["_id"]) for merge in self.merges if not merge.get("undone")}
        return frozenset({str(self.profile["_id"]), *self.profile.get("aliases", ()), *merged})

    @property
    def player_ids(self) -> frozenset[str]:
        return frozenset(str(player["_id"]) for player in self.players)

    @property
    def visitor_ids(self) -> list[str]:
        """Browsers that are the person's now, then those that were; a profile lists only so many."""
        named = [*self.profile.get("visitors", ()), *self.profile.get("pastVisitors", ())]
        named += sorted(v["visitor"] for v in self.visitors if v.get("visitor"))
        return list(dict.fromkeys(str(visitor) for visitor in named))


class PersonReader:
    """Every method raises StoreUnavailable when MongoDB is away."""

    def __init__(self, database: Database) -> None:
        self._profiles = database[PROFILES.name]
        self._players = database[PLAYERS.name]
        self._merges = database[MERGES.name]
        self._visitors = database[VISITORS.name]

    async def search(self, app: str, kind: NameKind, name: str) -> list[Document]:
        """Profiles that the name leads to, the one seen last first."""
        if kind == "player":
            found = await self._of_player(app, name)
        elif kind == "visitor":
            found = await _all(self._profiles, {"visitors": name})
        else:
            found = await _all(self._profiles, {"app": app, kind: name})
        mine = [profile for profile in found if profile["app"] == app]
        return sorted(mine, key=lambda p: (p["lastSeenAt"], p["_id"]), reverse=True)

    async def _of_player(self, app: str, player: str) -> list[Document]:
        with translate_mongo_errors():
            entry = await self._players.find_one({"_id": player})
        if entry is None or entry["app"] != app:
            return []
        profile = await self.profile(str(entry["person"]))
        return [] if profile is None else [profile]

    async def profile(self, person: str) -> Document | None:
        """Also by the id of somebody who was merged into the person."""
        with translate_mongo_errors():
            found = await self._profiles.find_one({"_id": person})
            if found is None:
                merge = await self._merges.find_one({"_id": person})
                if merge is not None and not merge.get("undone"):
                    found = await self._profiles.find_one({"_id": merge["person"]})
        return found

    async def known(self, person: str) -> Known | None:
        profile = await self.profile(person)
        if profile is None:
            return None
        owned = {"app": profile["app"], "person": profile["_id"]}
        return Known(
            profile,
            await _all(self._players, owned),
            await _all(self._merges, owned),
            await _all(self._visitors, {"people": profile["_id"]}),
        )


async def _all(collection: Collection, query: Document) -> list[Document]:
    with translate_mongo_errors():
        return [d async for d in collection.find(query)]
