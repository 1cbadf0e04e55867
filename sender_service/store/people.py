"""Profiles and players, read from the ingest service's collections."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sender_service.models.send import NEVER
from sender_service.store.merges import read_merges
from shared.documents.merge import Merge
from shared.documents.player import Player
from shared.documents.profile import Profile
from shared.ids import SLOTS
from shared.mongo.client import Database, Document, in_batches, translate_mongo_errors
from shared.mongo.collections import PLAYERS, PROFILES
from shared.mongo.whole_reads import aggregate_all, read_all
from shared.providers import DEFAULT_PROVIDER

CHANGES_OVERLAP = timedelta(minutes=2)  # changes are read from so long before the planning
RECENT_LIMIT = 2_000  # more changes than this are looked up by id instead


@dataclass(frozen=True, slots=True)
class MovedPlayer:
    """Player with another owner than before."""

    id: str
    owner: str
    past_owners: tuple[str, ...]


class PeopleReader:
    """Reads profiles and players. Every method raises StoreUnavailable when MongoDB is away."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._profiles = database[PROFILES.name]
        self._players = database[PLAYERS.name]

    async def in_slots(self, app: str, slots: tuple[int, int]) -> list[Profile]:
        """Return profiles of a closed range of slots, ordered by slot and id."""
        found = await self._profiles_of(_range(app, slots))
        return sorted(found, key=lambda p: (p["slot"], p["_id"]))

    async def selected(self, app: str, slots: tuple[int, int], where: Document) -> list[Profile]:
        """Return the profiles of a closed range of slots that a filter selects, in the same order."""
        found = await self._select(_range(app, slots), where)
        return sorted(found, key=lambda p: (p["slot"], p["_id"]))

    async def selected_among(
        self, app: str, people: Sequence[str], where: Document
    ) -> list[Profile]:
        """Return those of these people's profiles that a filter selects."""
        found: list[Profile] = []
        for ids in in_batches("_id", people):
            found += await self._select(ids, {"$and": [{"app": app}, where]})
        return found

    async def count(self, app: str, slots: tuple[int, int]) -> int:
        """Count the people in a closed range of slots."""
        with translate_mongo_errors():
            return await self._profiles.count_documents(_range(app, slots))

    async def by_logins(self, app: str, logins: Sequence[str]) -> dict[str, Profile]:
        found = await self._profiles_in("login", logins, {"app": app})
        return {p["login"]: p for p in found if p["login"] is not None}

    async def by_visitors(self, app: str, visitors: Sequence[str]) -> dict[str, Profile]:
        """Return visitor id → its present person's profile."""
        requested = set(visitors)
        found = await self._profiles_in("visitors", visitors, {})
        return {v: p for p in found if p["app"] == app for v in p["visitors"] if v in requested}

    async def by_persons(self, app: str, persons: Sequence[str]) -> dict[str, Profile]:
        """Return person id → the profile, or that of the person whom it was merged into."""
        found = await self.profiles(app, persons)
        gone = [person for person in persons if person not in found]
        heirs = await self.heirs(app, gone) if gone else {}
        profiles = await self.profiles(app, sorted(set(heirs.values()))) if heirs else {}
        return found | {p: profiles[heir] for p, heir in heirs.items() if heir in profiles}

    async def heirs(self, app: str, persons: Collection[str]) -> dict[str, str]:
        """Return merged person → the person whom it was merged into, without undone merges."""
        merges = await self.merges_of(app, persons)
        return {person: merge["person"] for person, merge in merges.items()}

    async def by_players(self, app: str, players: Sequence[str]) -> dict[str, Profile]:
        """Return player id → its present owner's profile; unknown ids are absent."""
        return await self.owners(app, await self.ledger(app, players))

    async def owners(self, app: str, ledger: dict[str, Player]) -> dict[str, Profile]:
        """Return player id → its present owner's profile, for players of the ledger."""
        profiles = await self.profiles(app, sorted({e["person"] for e in ledger.values()}))
        return {
            player: profiles[entry["person"]]
            for player, entry in ledger.items()
            if entry["person"] in profiles
        }

    async def ledger(self, app: str, players: Sequence[str]) -> dict[str, Player]:
        """Return player id → its entry."""
        found: list[Player] = []
        for batch in in_batches("_id", players):
            found += await self._players_of({**batch, "app": app})
        return {e["_id"]: e for e in found}

    async def changed_since(self, app: str, since: datetime) -> dict[str, Player] | None:
        """Return player id → entry where owner or state changed; None if too many."""
        found = await self._players_of(_changed(app, since), RECENT_LIMIT + 1)
        return None if len(found) > RECENT_LIMIT else {e["_id"]: e for e in found}

    async def moved_since(self, app: str, since: datetime) -> list[MovedPlayer]:
        """Return players whose owner changed."""
        found = {entry["_id"]: entry for entry in await self._players_of(_changed(app, since))}
        return [
            MovedPlayer(
                player, entry["person"], tuple(past["person"] for past in entry["previous"])
            )
            for player, entry in found.items()
            if any(past["until"] >= since for past in entry["previous"])
        ]

    async def profiles_since(self, app: str, since: datetime) -> dict[str, Profile] | None:
        """Return person id → changed profile; None if they are too many."""
        found = await self._profiles_of(_changed(app, since), RECENT_LIMIT + 1)
        return None if len(found) > RECENT_LIMIT else {p["_id"]: p for p in found}

    async def profiles(self, app: str, persons: Sequence[str]) -> dict[str, Profile]:
        """Return person id → profile."""
        return {p["_id"]: p for p in await self._profiles_in("_id", persons, {"app": app})}

    async def existing(self, persons: Sequence[str]) -> set[str]:
        """Return those of these persons who have a profile."""
        found: set[str] = set()
        with translate_mongo_errors():
            for batch in in_batches("_id", persons):
                found |= {p["_id"] for p in await read_all(self._profiles, batch, {"_id": 1})}
        return found

    async def merges_of(self, app: str, persons: Collection[str]) -> dict[str, Merge]:
        """Return merged person → its merge, without undone ones."""
        merges = await read_merges(self._database, app, persons)
        return {merge["_id"]: merge for merge in merges if not merge.get("undone")}

    async def subscribed(self, app: str, provider: str, others: Iterable[str] = ()) -> int:
        """Count the app's subscribed players of the provider; `others` are the app's other ones."""
        query = {"app": app, "state": "subscribed"}
        with translate_mongo_errors():
            if provider != DEFAULT_PROVIDER:
                return await self._players.count_documents({**query, "provider": provider})
            # Most players name no provider, and most apps have no other: one count of an index.
            count = await self._players.count_documents(query)
            for other in others:
                count -= await self._players.count_documents({**query, "provider": other})
            return count

    async def _select(self, place: Document, where: Document) -> list[Profile]:
        # Two stages of a pipeline: MongoDB makes one query of them, SecantusDB finds the place by its
        # index. A single query makes SecantusDB read the whole collection: it uses an index only for
        # queries of indexed fields. 20,000 profiles, 300 of them in 64 slots: 4.1 s against 0.2 s.
        with translate_mongo_errors():
            stages = [{"$match": place}, {"$match": where}]
            return cast(list[Profile], await aggregate_all(self._profiles, stages))

    async def _profiles_in(
        self, field: str, values: Sequence[str], also: Document
    ) -> list[Profile]:
        found: list[Profile] = []
        for batch in in_batches(field, values):
            found += await self._profiles_of({**batch, **also})
        return found

    async def _profiles_of(self, query: Document, limit: int = 0) -> list[Profile]:
        with translate_mongo_errors():
            return cast(list[Profile], await read_all(self._profiles, query, limit=limit))

    async def _players_of(self, query: Document, limit: int = 0) -> list[Player]:
        with translate_mongo_errors():
            return cast(list[Player], await read_all(self._players, query, limit=limit))


def ids_of(profile: Profile) -> list[str]:
    """Return the person's id, and those of the persons merged into it that the profile lists."""
    return [profile["_id"], *profile["aliases"]]


def _range(app: str, slots: tuple[int, int]) -> Document:
    return {"app": app, "slot": {"$gte": slots[0], "$lte": min(slots[1], SLOTS - 1)}}


def _changed(app: str, since: datetime) -> Document:
    return {"app": app, "changedAt": {"$gte": since, "$lt": NEVER}}
