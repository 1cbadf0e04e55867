"""A person's runs, and firings that name her: read to be exported, deleted or blanked in place."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sender_service.models.erased_names import marker
from sender_service.models.scenario.firing import FiringState
from shared.mongo.client import Database, Document, in_batches, translate_mongo_errors
from shared.mongo.collections import FIRINGS, RUNS
from shared.mongo.whole_reads import read_all, walk, walk_index

RUNS_A_READ = 100
RUN_FIELDS = {"rev": 0, "expireAt": 0}  # all but these
FIRINGS_A_READ = 50  # of at most 2,000 members each
FIRING_FIELDS = {"scenario": 1, "step": 1, "createdAt": 1, "members": 1}
UNDER_WAY: tuple[FiringState, ...] = ("open", "claimed", "handed")


@dataclass(frozen=True, slots=True)
class NamedRun:
    """A run as it is exported."""

    id: str
    content: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class NamedFiring:
    """A firing with the places of members that are to be erased."""

    id: str
    content: Mapping[str, object]
    places: list[int]


class ScenarioErasure:
    """Reads and blanks what scenarios know. Methods raise StoreUnavailable when MongoDB is away."""

    def __init__(self, database: Database) -> None:
        self._runs = database[RUNS.name]
        self._firings = database[FIRINGS.name]

    async def runs(self, app: str, persons: Mapping[str, datetime]) -> AsyncIterator[NamedRun]:
        """Yield these persons' runs that began until each one's time."""
        with translate_mongo_errors():
            for batch in in_batches("person", sorted(persons)):
                query = {"app": app, **batch}
                async for run in walk_index(self._runs, query, RUN_FIELDS, at_once=RUNS_A_READ):
                    if run["entry"]["at"] <= persons[run["person"]]:
                        yield NamedRun(run["_id"], _exported(run))

    async def delete_run(self, run: str) -> None:
        with translate_mongo_errors():
            await self._runs.delete_one({"_id": run})

    async def firings(
        self, app: str, persons: Mapping[str, datetime]
    ) -> AsyncIterator[NamedFiring]:
        """Yield firings that have these persons as members: made until each one's time, or of runs that
        were deleted with her. Runs are erased first."""
        with translate_mongo_errors():
            async for one in walk(
                self._firings, {"app": app}, FIRING_FIELDS, at_once=FIRINGS_A_READ
            ):
                if (found := await self._named(one, persons)) is not None:
                    yield found

    async def under_way(self, app: str, persons: Mapping[str, datetime]) -> list[NamedFiring]:
        """Return such firings that are under way."""
        query = {"app": app, "state": {"$in": list(UNDER_WAY)}}
        with translate_mongo_errors():
            read = await read_all(self._firings, query, FIRING_FIELDS)
            found = [await self._named(one, persons) for one in read]
        return [one for one in found if one is not None]

    async def members(self, firings: Collection[str]) -> dict[str, set[str]]:
        """Return firing → its persons, as they are named now."""
        found: dict[str, set[str]] = {}
        with translate_mongo_errors():
            for batch in in_batches("_id", sorted(firings), FIRINGS_A_READ):
                for one in await read_all(self._firings, batch, {"members": 1}):
                    found[one["_id"]] = {person for _, person in one["members"]}
        return found

    async def blank_members(self, firing: NamedFiring) -> None:
        """Blank the members in their places: others' outcomes refer to theirs."""
        names = [[marker(), marker()] for _ in firing.places]
        blank = {f"members.{place}": name for place, name in zip(firing.places, names, strict=True)}
        with translate_mongo_errors():
            await self._firings.update_one({"_id": firing.id}, {"$set": blank})

    async def _named(self, firing: Document, persons: Mapping[str, datetime]) -> NamedFiring | None:
        """Return the firing with the places of these persons; None where it has none."""
        members = firing["members"]
        theirs = [place for place, (_, person) in enumerate(members) if person in persons]
        if not theirs:
            return None
        # Who erases late meets firings of after that time, of somebody whom ingest knew still.
        late = [members[n][0] for n in theirs if firing["createdAt"] > persons[members[n][1]]]
        kept = await self._existing_runs(late)
        places = [n for n in theirs if members[n][0] not in kept]
        if not places:
            return None
        named = {**firing, "members": [members[place] for place in places]}
        return NamedFiring(firing["_id"], _exported(named), places)

    async def _existing_runs(self, runs: Collection[str]) -> set[str]:
        found: set[str] = set()
        for batch in in_batches("_id", sorted(runs)):
            found |= {one["_id"] for one in await read_all(self._runs, batch, {"_id": 1})}
        return found


def _exported(document: Document) -> Mapping[str, object]:
    content = {name: value for name, value in document.items() if name != "_id"}
    return {"id": document["_id"], **content}
