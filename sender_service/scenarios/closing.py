"""Closing of firings: once a firing's send is over, its members' outcomes go into their runs.

A push that wasn't sent is given back; of one that was, the run keeps the items that it was about.
A turn of it is short, as the app's due runs wait for it, and other apps: it goes on in the next one.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass, field

from sender_service.models.decide.progress import give_back, note_items
from sender_service.models.scenario.firing import LATE, NO_PLAYER, Firing, Member
from sender_service.models.scenario.run import Run
from sender_service.models.scenario.scenario import Scenario
from sender_service.models.send import SendRow
from sender_service.models.sums import Sums
from sender_service.pages.person_outcomes import SENT, PersonOutcome
from sender_service.scenarios.clock_closing import ClockCloser
from sender_service.scenarios.lease import AppLease
from sender_service.scenarios.run_changes import change_runs
from sender_service.store.firings import FiringHead, FiringStore
from sender_service.store.outcomes import OutcomeReader
from sender_service.store.people import PeopleReader
from sender_service.store.runs import RunStore
from sender_service.store.scenarios import ScenarioStore
from sender_service.store.sends import SendStore
from sender_service.store.stores import Stores
from shared.clock import CLOCK_SKEW, Clock, Monotonic

log = logging.getLogger("carillon.scenarios")

ALREADY_EXPIRED = "already_expired"  # refused by intake: it was handed over too late
# A trigger that is taken in later than that after its end is refused, whatever the clocks.
LOST_AFTER = 2 * CLOCK_SKEW
CLOSING_SECONDS = 1.0  # then an app's due runs come, and other apps


@dataclass(slots=True)
class FiringCloser:
    runs: RunStore
    firings: FiringStore
    scenarios: ScenarioStore
    sends: SendStore
    outcomes: OutcomeReader
    people: PeopleReader
    of_clock: ClockCloser
    clock: Clock
    monotonic: Monotonic
    # By firing: what was begun in a turn before. Begun anew it comes to the same.
    _begun: dict[str, AsyncGenerator[None, None]] = field(default_factory=dict, init=False)

    @classmethod
    def of(cls, stores: Stores, clock: Clock, monotonic: Monotonic) -> FiringCloser:
        return cls(
            stores.runs,
            stores.firings,
            stores.scenarios,
            stores.sends,
            stores.outcomes,
            stores.people,
            ClockCloser.of(stores, clock),
            clock,
            monotonic,
        )

    async def close(self, lease: AppLease, handed: Sequence[FiringHead]) -> bool:
        """Close those of the app's firings whose sends are over, for one turn; return whether more are
        left.

        Raises LeaseLost, StoreUnavailable.
        """
        until = self.monotonic() + CLOSING_SECONDS
        if lease.is_new:  # another process may have closed them
            self._begun.clear()
        sends = {send.id: send for send in await self.sends.heads([head.id for head in handed])}
        for head in handed:
            send = sends.get(head.id)
            if not self._is_over(head, send):
                continue
            closing = self._begun.pop(head.id, None) or self._close(lease, head.id, send)
            async for _ in closing:
                if self.monotonic() >= until:
                    self._begun[head.id] = closing
                    return True
            if self.monotonic() >= until:
                return True
        return False

    def _is_over(self, head: FiringHead, send: SendRow | None) -> bool:
        """Return whether nothing more comes of the firing's send, or the send itself can't any more."""
        if send is None:
            return self.clock() > head.expires_at + LOST_AFTER
        return send.closed_at is not None

    async def _close(
        self, lease: AppLease, id: str, send: SendRow | None
    ) -> AsyncGenerator[None, None]:
        """Take the outcomes of the firing's send, a piece at a time; `send` is None where it never came."""
        firing = await self.firings.get(id)
        if firing is None:
            return
        counts: Counter[str] = Counter()
        if send is not None and send.rolled_up:
            counts = _count_all(send)
        elif firing.occurrence is not None and send is not None:
            async for _ in self.of_clock.close(lease, firing, send, counts):
                yield
        elif firing.occurrence is None:
            found = await self._outcomes(firing, send)
            await self._change_runs(lease, firing, [one for one in found if _changes_run(one[1])])
            counts = Counter(outcome.why for _, outcome in found)
        await lease.keep()
        await self.firings.close(id, counts + Counter(firing.counts))
        log.info("firing closed", extra={"firing": id, "app": firing.app})

    async def _outcomes(
        self, firing: Firing, send: SendRow | None
    ) -> list[tuple[Member, PersonOutcome]]:
        """Return the members with the outcome of each."""
        of_person = {} if send is None else await self.outcomes.by_person(firing.id)
        missing = [one.person for one in firing.members if one.person not in of_person]
        # Planning took those who were merged meanwhile by their new persons.
        heirs = await self._heirs(firing.app, missing) if of_person else {}
        otherwise = PersonOutcome(0, _why_nobody(send))

        def outcome_of(person: str) -> PersonOutcome:
            heir = heirs.get(person, person)
            return of_person.get(person) or of_person.get(heir) or otherwise

        return [(member, outcome_of(member.person)) for member in firing.members]

    async def _change_runs(
        self, lease: AppLease, firing: Firing, found: Sequence[tuple[Member, PersonOutcome]]
    ) -> None:
        """Put the outcomes into the runs, also into those that went over to another person."""
        outcomes = {member.run: outcome for member, outcome in found}
        heirs = await self._heirs(firing.app, [member.person for member, _ in found])
        of_heirs = {heirs[one.person]: outcome for one, outcome in found if one.person in heirs}
        for person, runs in (await self.runs.of_people(firing.app, of_heirs)).items():
            outcomes |= {run.id: of_heirs[person] for run in runs if _has_push(run, firing)}
        versions = await self._versions(firing, outcomes)
        now = self.clock()

        def change(run: Run) -> Run:
            own, outcome = versions.get(run.version), outcomes[run.id]
            if outcome.stays_push:
                return note_items(run, firing.id, outcome.items)
            return run if own is None else give_back(run, firing.id, outcome.why, own, now)

        await lease.keep()
        await change_runs(self.runs, outcomes, change)

    async def _heirs(self, app: str, persons: Sequence[str]) -> dict[str, str]:
        """Return merged person → the person whom it was merged into."""
        merges = await self.people.merges_of(app, persons) if persons else {}
        return {person: merge["person"] for person, merge in merges.items()}

    async def _versions(self, firing: Firing, runs: Iterable[str]) -> dict[int, Scenario]:
        """Return the scenario's versions that these runs entered under."""
        read = (await self.runs.get(runs)).values()
        found: dict[int, Scenario] = {}
        for version in {run.version for run in read}:
            own = await self.scenarios.get_version(firing.app, firing.scenario, version)
            if own is not None:
                found[version] = own
        return found


def _changes_run(outcome: PersonOutcome) -> bool:
    return bool(outcome.items) or not outcome.stays_push


def _has_push(run: Run, firing: Firing) -> bool:
    return any(push.firing == firing.id for push in run.pushes)


def _count_all(send: SendRow) -> Counter[str]:
    """Return the send's players by outcome."""
    totals = send.totals or Sums()
    return Counter({SENT: totals.sent, **totals.suppressed, **totals.failed})


def _why_nobody(send: SendRow | None) -> str:
    """Return why a member that no page has got nothing."""
    if send is None:
        return LATE
    if send.error is None:
        return NO_PLAYER
    code = send.error.partition(":")[0]
    return LATE if code == ALREADY_EXPIRED else code
