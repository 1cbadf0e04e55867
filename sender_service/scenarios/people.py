"""People of scenarios, read for decisions: their profiles, and what all their ids did in scenarios."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sender_service.models.decide.app_rules import AppRules
from sender_service.models.decide.person import Person
from sender_service.models.scenario.run import Click, Run
from sender_service.scenarios.rules import RulesLoader
from sender_service.store.clicks import ClickReader
from sender_service.store.contact_pushes import MAX_ALIASES
from sender_service.store.contacts import ContactStore
from sender_service.store.people import PeopleReader
from sender_service.store.runs import RunStore
from sender_service.store.stores import Stores
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


@dataclass(frozen=True, slots=True)
class PersonLoader:
    """Reads people for decisions. Methods raise StoreUnavailable when MongoDB is away."""

    people: PeopleReader
    runs: RunStore
    clicks: ClickReader
    contacts: ContactStore
    rules: RulesLoader

    @classmethod
    def of(cls, stores: Stores, rules: RulesLoader) -> PersonLoader:
        return cls(stores.people, stores.runs, stores.clicks, stores.contacts, rules)

    async def load(
        self,
        rules: AppRules,
        ids: Collection[str],
        runs: Mapping[str, list[Run]] | None = None,
        known: Sequence[Profile] = (),
        *,
        with_gap: bool = False,
    ) -> LoadedPeople:
        """Read people, with their clicks where an exit asks for them.

        `runs`, `known`: theirs, and profiles, that were read just now. `with_gap`: with their pushes.
        """
        app, names = rules.app, sorted(ids)
        profiles = {profile["_id"]: profile for profile in known}
        profiles |= await self.people.profiles(app, [n for n in names if n not in profiles])
        runs = await self.runs.of_people(app, names) if runs is None else runs
        missing = [name for name in names if name not in profiles]
        merges = await self.people.merges_of(app, missing) if missing else {}
        heirs = {merge["person"] for merge in merges.values()} - profiles.keys()
        if heirs:
            profiles |= await self.people.profiles(app, sorted(heirs))
        runs = {**runs, **await self._read_more(app, profiles, names)}
        merged = {name: merge["person"] for name, merge in merges.items()}
        owners = {name: merged.get(name, name) for name in names}
        loaded = {
            owner: _person(profiles[owner], [n for n in names if owners[n] == owner], runs)
            for owner in set(owners.values())
            if owner in profiles
        }
        loaded = await self._add_clicks(rules, loaded)
        if with_gap and rules.gap:
            loaded = await self._add_pushes(app, loaded)
        persons = {n: loaded[owner] for n, owner in owners.items() if owner in loaded}
        return LoadedPeople(persons=persons, merges=merges)

    async def of_profiles(self, rules: AppRules, profiles: Sequence[Profile]) -> list[Person]:
        """Return the persons of profiles that were read just now."""
        names = {name for profile in profiles for name in _ids_of(profile)}
        runs = await self.runs.of_people(rules.app, sorted(names))
        persons = {profile["_id"]: _person(profile, (), runs) for profile in profiles}
        return list((await self._add_clicks(rules, persons)).values())

    async def _read_more(
        self, app: str, profiles: Mapping[str, Profile], read: Collection[str]
    ) -> dict[str, list[Run]]:
        """Return the runs of further ids of these people."""
        ids = {name for profile in profiles.values() for name in _ids_of(profile)}
        more = sorted(ids.difference(read))
        return await self.runs.of_people(app, more) if more else {}

    async def _add_clicks(self, rules: AppRules, people: Mapping[str, Person]) -> dict[str, Person]:
        """Return the people with their clicks on pushes of runs that a click ends."""
        waiting = [run for one in people.values() for run in _pushed_runs(one)]
        if not waiting:
            return dict(people)
        rules = await self.rules.add_versions(rules, {(r.scenario, r.version) for r in waiting})
        sends = {
            push.firing for run in waiting if _ends_by_click(run, rules) for push in run.pushes
        }
        if not sends:
            return dict(people)
        names = {id: _names_of(one) for id, one in people.items()}
        clicks = await self.clicks.of_sends(sends, set().union(*names.values()))
        return {
            id: replace(one, clicks=_clicks_of(names[id], clicks)) for id, one in people.items()
        }

    async def _add_pushes(self, app: str, people: Mapping[str, Person]) -> dict[str, Person]:
        """Return the people with all their scenario pushes, also those that have no run."""
        ids = {id: sorted(_names_of(one) - {id}) for id, one in people.items()}
        pushed = await self.contacts.scenario_pushes(app, ids)
        return {id: replace(one, pushed=tuple(pushed[id])) for id, one in people.items()}


def _person(profile: Profile, names: Collection[str], runs: Mapping[str, list[Run]]) -> Person:
    ids = dict.fromkeys([*_ids_of(profile), *names])
    return Person.of(profile, [run for id in ids for run in runs.get(id, ())])


def _pushed_runs(person: Person) -> Iterable[Run]:
    return (run for run in person.runs if run.ended is None and run.pushes)


def _ends_by_click(run: Run, rules: AppRules) -> bool:
    own = rules.of_version(run.scenario, run.version)
    return own is not None and "clicked" in own.until


def _names_of(person: Person) -> set[str]:
    """Return the ids by which pages may name the person."""
    return {*_ids_of(person.profile), *(run.person for run in person.runs)}


def _clicks_of(names: Collection[str], clicks: Mapping[str, list[Click]]) -> tuple[Click, ...]:
    return tuple(click for name in names for click in clicks.get(name, ()))


def _ids_of(profile: Profile) -> list[str]:
    return [profile["_id"], *profile["aliases"][:MAX_ALIASES]]
