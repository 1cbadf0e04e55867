"""Writes of what moments do to runs, each followed by a look whether the person is still there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sender_service.models.scenario.run import Run
from sender_service.store.erasure import ErasureStore
from sender_service.store.people import PeopleReader
from sender_service.store.runs import RunStore
from shared.models.facts import Erased
from shared.models.person_moment import PersonMoment


@dataclass(frozen=True)
class RunWrites:
    """Writer of runs. Methods raise StoreUnavailable when MongoDB is away."""

    runs: RunStore
    people: PeopleReader
    erasures: ErasureStore

    async def write(self, ended: Collection[Run], begun: Collection[Run]) -> set[str]:
        """Write runs that ended or begin; return persons who have changed meanwhile: to be read again."""
        written = await self.runs.replace_many(list(ended)) if ended else set()
        lost = {run.person for run in ended if run.id not in written}
        # Only a person's last run may wait, so one begins after the end of the one before.
        begun = [run for run in begun if run.person not in lost]
        if not begun:
            return lost
        new = await self.runs.insert(begun)
        lost |= {run.person for run in begun if run.id not in new}
        # Written first, then looked: so a merge or an erasure finds the run, or is found here.
        persons = {run.person for run in begun}
        lost |= persons - await self.people.existing(sorted(persons))
        await self._check_tombstones(begun[0].app, persons)
        return lost

    async def begin(self, begun: Collection[Run]) -> set[str]:
        """Begin runs, again where they are there; return the persons who entered otherwise meanwhile."""
        if not begun:
            return set()
        new = await self.runs.insert(list(begun))
        stored = await self.runs.get(run.id for run in begun if run.id not in new)
        await self._check_tombstones(next(iter(begun)).app, {run.person for run in begun})
        events = {id: run.entry.event for id, run in stored.items()}
        lost = {run.person for run in begun if run.entry.event != events.get(run.id)}
        return lost - {run.person for run in begun if run.id in new}

    async def erase(self, app: str, moments: Iterable[PersonMoment]) -> None:
        """Delete runs of erased persons, but for those of who came back since."""
        for person, until in _erasures_in(moments):
            await self.runs.delete_person(app, person, until)

    async def leave_firings(self, app: str, moments: Iterable[PersonMoment]) -> None:
        """Blank erased persons in firings under way, made while what was known of them was old."""
        if erased := dict(_erasures_in(moments)):
            for firing in await self.erasures.scenarios.under_way(app, erased):
                await self.erasures.scenarios.blank_members(firing)

    async def forget(self, app: str, persons: Collection[str]) -> None:
        """Delete all runs of persons of whom nothing is left."""
        for person in sorted(persons):
            await self.runs.delete_person(app, person)

    async def _check_tombstones(self, app: str, persons: Collection[str]) -> None:
        async for tombstone in self.erasures.tombstones(persons):
            await self.runs.delete_person(app, tombstone["_id"], tombstone["at"])


def _erasures_in(moments: Iterable[PersonMoment]) -> Iterator[tuple[str, datetime]]:
    """Yield each erased person of these moments, and until when what she did is erased."""
    for moment in moments:
        times = [fact.at for fact in moment.facts if isinstance(fact, Erased)]
        if times:
            yield moment.person, max(times)
