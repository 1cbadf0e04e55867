"""People of scenarios, read for decisions: their profiles, and the runs of all their ids."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sender_service.models.decide.person import Person
from sender_service.models.scenario.run import Run
from sender_service.store.contacts import MAX_ALIASES
from sender_service.store.people import PeopleReader
from sender_service.store.runs import RunStore
from shared.documents.merge import Merge
from shared.documents.profile import Profile

UNNAMED_WITHIN = timedelta(seconds=60)  # a full profile doesn't name all that were merged into it


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedPeople:
    """People by the ids that were asked for. A merged person's is the survivor, where she has a profile.

    `merges`: records of those without a profile of their own. Who has neither is gone.
    """

    persons: Mapping[str, Person]
    merges: Mapping[str, Merge]

    def is_gone(self, id: str) -> bool:
        """Return whether there is nobody of this id, nor anybody whom it was merged into."""
        return id not in self.persons and id not in self.merges

    def is_unwritten(self, id: str, now: datetime) -> bool:
        """Return whether the survivor's profile may be older than the merge: then nothing ends by it.

        It counts once its `aliases` name the merged person, and in any case after UNNAMED_WITHIN.
        """
        merge, person = self.merges.get(id), self.persons.get(id)
        if merge is None or (person is not None and id in person.profile["aliases"]):
            return False
        return now - merge["at"] < UNNAMED_WITHIN


class PersonLoader:
    """Reads people for decisions. Methods raise StoreUnavailable when MongoDB is away."""

    def __init__(self, people: PeopleReader, runs: RunStore) -> None:
        self._people = people
        self._runs = runs

    async def load(self, app: str, ids: Collection[str]) -> LoadedPeople:
        names = sorted(ids)
        profiles, runs = await asyncio.gather(
            self._people.profiles(app, names), self._runs.of_people(app, names)
        )
        missing = [name for name in names if name not in profiles]
        merges = await self._people.merges_of(app, missing) if missing else {}
        heirs = {merge["person"] for merge in merges.values()} - profiles.keys()
        if heirs:
            profiles |= await self._people.profiles(app, sorted(heirs))
        runs |= await self._read_more(app, profiles, runs)
        merged = {name: merge["person"] for name, merge in merges.items()}
        owners = {name: merged.get(name, name) for name in names}
        loaded = {
            owner: self._person(profiles[owner], [n for n in names if owners[n] == owner], runs)
            for owner in set(owners.values())
            if owner in profiles
        }
        persons = {n: loaded[owner] for n, owner in owners.items() if owner in loaded}
        return LoadedPeople(persons=persons, merges=merges)

    async def _read_more(
        self, app: str, profiles: Mapping[str, Profile], read: Mapping[str, list[Run]]
    ) -> dict[str, list[Run]]:
        """Return the runs of further ids of these people."""
        ids = {name for profile in profiles.values() for name in _ids_of(profile)}
        more = sorted(ids - read.keys())
        return await self._runs.of_people(app, more) if more else {}

    def _person(
        self, profile: Profile, names: Collection[str], runs: Mapping[str, list[Run]]
    ) -> Person:
        ids = dict.fromkeys([*_ids_of(profile), *names])
        return Person.of(profile, [run for id in ids for run in runs.get(id, ())])


def _ids_of(profile: Profile) -> list[str]:
    return [profile["_id"], *profile["aliases"][:MAX_ALIASES]]
