"""A person's runs, and firings that name her: read to be exported, deleted or blanked in place."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sender_service.models.erased_names import marker
from shared.mongo.client import Database, Document, in_batches, translate_mongo_errors
from shared.mongo.collections import FIRINGS, RUNS
from shared.mongo.whole_reads import walk, walk_index

RUNS_A_READ = 100
RUN_FIELDS = {"rev": 0, "expireAt": 0}  # all but these
FIRINGS_A_READ = 50  # of at most 2,000 members each


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
        """Yield firings that were made until each of these persons' time, and have them as members."""
        fields = {"scenario": 1, "step": 1, "createdAt": 1, "members": 1}
        with translate_mongo_errors():
            async for one in walk(self._firings, {"app": app}, fields, at_once=FIRINGS_A_READ):
                made, members = one["createdAt"], one["members"]
                places = [
                    place
                    for place, (_, person) in enumerate(members)
                    if person in persons and made <= persons[person]
                ]
                if places:
                    named = {**one, "members": [members[place] for place in places]}
                    yield NamedFiring(one["_id"], _exported(named), places)

    async def blank_members(self, firing: NamedFiring) -> None:
        """Blank the members in their places: others' outcomes refer to theirs."""
        names = [[marker(), marker()] for _ in firing.places]
        blank = {f"members.{place}": name for place, name in zip(firing.places, names, strict=True)}
        with translate_mongo_errors():
            await self._firings.update_one({"_id": firing.id}, {"$set": blank})


def _exported(document: Document) -> Mapping[str, object]:
    content = {name: value for name, value in document.items() if name != "_id"}
    return {"id": document["_id"], **content}
