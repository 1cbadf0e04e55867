"""Closing of the clock's firings: their people are those of the send's pages, read a few at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass

from sender_service.models.decide.progress import give_back
from sender_service.models.scenario.firing import Firing
from sender_service.models.scenario.run import Run
from sender_service.models.scenario.scenario import Scenario
from sender_service.models.send import SendRow
from sender_service.pages.document import END
from sender_service.pages.person_outcomes import PersonOutcome
from sender_service.scenarios.lease import AppLease
from sender_service.scenarios.run_changes import change_runs
from sender_service.store.outcomes import OutcomeReader
from sender_service.store.pages import FULL_PAGES_A_READ, PageStore
from sender_service.store.people import PeopleReader
from sender_service.store.runs import DUE_AT_ONCE, RunStore
from sender_service.store.scenarios import ScenarioStore
from sender_service.store.stores import Stores
from shared.clock import Clock
from shared.ids import slot_of


@dataclass(frozen=True, slots=True)
class ClockCloser:
    """Closes firings of the clock. Methods raise LeaseLost, StoreUnavailable."""

    runs: RunStore
    scenarios: ScenarioStore
    outcomes: OutcomeReader
    pages: PageStore
    people: PeopleReader
    clock: Clock

    @classmethod
    def of(cls, stores: Stores, clock: Clock) -> ClockCloser:
        return cls(
            stores.runs, stores.scenarios, stores.outcomes, stores.pages, stores.people, clock
        )

    async def close(
        self, lease: AppLease, firing: Firing, send: SendRow, counts: Counter[str]
    ) -> AsyncGenerator[None, None]:
        """Give back the pushes that weren't sent, and count the send's people by result.

        A send may have a million people, so it yields after each piece of work.
        """
        own = await self.scenarios.get_version(firing.app, firing.scenario, firing.version)
        index = await self.pages.index(send.id)
        # Latecomers' pages come after the end: a person may be in one of them, and in one before.
        behind: dict[str, PersonOutcome] = {}
        async for read in self._read(lease, [id for at, id in index if list(at) == END]):
            behind |= {one: max(of, behind.get(one, of)) for one, of in read.items()}
            yield
        async for read in self._read(lease, [id for at, id in index if list(at) != END]):
            found = {one: max(of, behind.pop(one, of)) for one, of in read.items()}
            async for _ in self._take(lease, firing, own, found, counts):
                yield
        async for _ in self._take(lease, firing, own, behind, counts):
            yield
        async for _ in self._give_back_unplanned(lease, firing, own, send):
            yield

    async def _read(
        self, lease: AppLease, pages: Sequence[str]
    ) -> AsyncGenerator[dict[str, PersonOutcome], None]:
        """Yield person → outcome, of some pages at a time."""
        for start in range(0, len(pages), FULL_PAGES_A_READ):
            await lease.keep()
            yield await self.outcomes.of_pages(pages[start : start + FULL_PAGES_A_READ])

    async def _take(
        self,
        lease: AppLease,
        firing: Firing,
        own: Scenario | None,
        found: Mapping[str, PersonOutcome],
        counts: Counter[str],
    ) -> AsyncGenerator[None, None]:
        counts.update(outcome.why for outcome in found.values())
        yield
        unsent = {one: outcome.why for one, outcome in found.items() if not outcome.stays_push}
        if own is None or not own.remembers_pushes:
            return
        persons = sorted(unsent)
        for start in range(0, len(persons), DUE_AT_ONCE):
            some = persons[start : start + DUE_AT_ONCE]
            await lease.keep()
            merges = await self.people.merges_of(firing.app, some)
            heirs = {merge["person"]: unsent[merged] for merged, merge in merges.items()}
            whys = heirs | {one: unsent[one] for one in some}
            runs = await self.runs.of_people(firing.app, whys)
            ids = {run.id: whys[one] for one, of in runs.items() for run in of}
            await self._give_back(lease, firing, own, ids)
            yield

    async def _give_back_unplanned(
        self, lease: AppLease, firing: Firing, own: Scenario | None, send: SendRow
    ) -> AsyncGenerator[None, None]:
        """Give back the pushes of runs whose page was never inserted: the send ended before."""
        last = await self.pages.last(send.id)
        cursor = ["", ""] if last is None else list(last[1])
        if own is None or firing.occurrence is None or cursor == END:
            return
        begun = await self.runs.entered_at(firing.app, firing.scenario, firing.occurrence.at)
        why = send.state if send.error is None else send.error.partition(":")[0]
        for start in range(0, len(begun), DUE_AT_ONCE):
            await lease.keep()
            read = await self.runs.get(begun[start : start + DUE_AT_ONCE])
            left = [
                run.id
                for run in read.values()
                if last is None or [slot_of(run.person), run.person] > cursor
            ]
            await self._give_back(lease, firing, own, dict.fromkeys(left, why))
            yield

    async def _give_back(
        self, lease: AppLease, firing: Firing, own: Scenario, whys: Mapping[str, str]
    ) -> None:
        now = self.clock()

        def change(run: Run) -> Run:
            return give_back(run, firing.id, whys[run.id], own, now)

        await lease.keep()
        await change_runs(self.runs, whys, change)
