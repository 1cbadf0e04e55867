"""Firings: four writes by which candidates of a step become a trigger, each of which may be the last.

The app's number is raised and the firing inserted; its candidates are claimed; those that have the
claim become its members; its trigger is published. Whoever takes the app over goes on from there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sender_service.context import SenderContext
from sender_service.models.decide.progress import claim_of, give_back, take_back
from sender_service.models.decide.rules import Rules
from sender_service.models.scenario.firing import (
    LATE,
    Firing,
    Member,
    StepKey,
    firing_id,
    in_time_until,
    trigger_of,
)
from sender_service.models.scenario.run import Run
from sender_service.models.scenario.scenario import Scenario
from sender_service.scenarios.lease import AppLease, LeaseLost
from sender_service.scenarios.run_changes import change_runs
from sender_service.store.firings import FiringStore
from sender_service.store.runs import RunStore
from sender_service.store.scenarios import ScenarioStore
from sender_service.store.sends import SendStore
from shared.clock import Clock
from shared.kafka.client import LogWriter
from shared.kafka.records import OutgoingRecord
from shared.kafka.topics import TRIGGERS_TOPIC
from shared.mongo.client import IN_LIMIT

log = logging.getLogger("carillon.scenarios")


@dataclass(frozen=True, slots=True)
class Firer:
    """Makes firings and finishes those that were left. `retention`: of firings, as of sends."""

    runs: RunStore
    firings: FiringStore
    scenarios: ScenarioStore
    sends: SendStore
    writer: LogWriter
    clock: Clock
    retention: timedelta

    @classmethod
    def of(cls, context: SenderContext) -> Firer:
        stores, days = context.stores, context.settings.plan.retention_days
        return cls(
            stores.runs,
            stores.firings,
            stores.scenarios,
            stores.sends,
            context.writer,
            context.clock,
            timedelta(days=days),
        )

    async def fire(
        self, lease: AppLease, rules: Rules, key: StepKey, candidates: Iterable[Run], now: datetime
    ) -> None:
        """Push a step to candidates, one run a person. Raises LeaseLost, Unavailable."""
        number = await lease.raise_n()
        own = rules.own
        pushed = own.step(key.step)
        assert pushed is not None  # else it would have been skipped
        firing = Firing(
            id=firing_id(lease.app, number, now),
            app=lease.app,
            scenario=own.id,
            version=own.version,
            step=key.step,
            campaign=pushed.campaign,
            made_at=now,
            due_at=now,
            expires_at=key.expires,
            expire_at=key.expires + self.retention,
            members=tuple(Member(run=run.id, person=run.person) for run in candidates),
        )
        await lease.keep()
        await self.firings.insert(firing)
        await self._hand_over(lease, firing)

    async def finish(self, lease: AppLease, firing: Firing) -> None:
        """Do what is left of a firing that isn't handed over. Raises LeaseLost, Unavailable."""
        if firing.state == "open" and await self._is_late(firing):
            await self._end_late(lease, firing)
        else:
            await self._hand_over(lease, firing)

    async def _hand_over(self, lease: AppLease, firing: Firing) -> None:
        """Claim, unless that was done, and publish."""
        is_of_clock = firing.occurrence is not None
        if firing.state == "open" and not is_of_clock:
            firing = await self._claim(lease, firing)
        if not is_of_clock and not firing.members:
            await lease.keep()
            await self.firings.close(firing.id, {})
            return
        # Also of one that expired meanwhile: it may be published already, and intake refuses it.
        await lease.keep()
        await self.writer.publish(
            [OutgoingRecord(TRIGGERS_TOPIC.name, firing.id, trigger_of(firing), "trigger")]
        )
        await lease.keep()
        await self.firings.set_handed(firing.id)
        log.info("firing handed over", extra={"firing": firing.id, "app": firing.app})

    async def _claim(self, lease: AppLease, firing: Firing) -> Firing:
        """Claim the candidates; return the firing with those as members that have the claim."""
        own = await self.scenarios.get_version(firing.app, firing.scenario, firing.version)
        ids = [member.run for member in firing.members]
        if own is not None:
            claim = claim_of(firing.id, firing.step, own, firing.made_at)
            for start in range(0, len(ids), IN_LIMIT):
                await lease.keep()
                await self.runs.claim(ids[start : start + IN_LIMIT], claim)
        await lease.keep()
        claimed = set(await self.runs.claimed(ids, firing.id))
        members = tuple(member for member in firing.members if member.run in claimed)
        await lease.keep()
        if not await self.firings.set_claimed(firing.id, members):
            await self._release(firing, claimed, own)
            raise LeaseLost
        return replace(firing, members=members, state="claimed")

    async def _is_late(self, firing: Firing) -> bool:
        """Return whether an open firing is too late to be handed over, and never was."""
        own = await self.scenarios.get_version(firing.app, firing.scenario, firing.version)
        present = await self.scenarios.get(firing.app, firing.scenario)
        if own is not None and self.clock() <= in_time_until(firing, own, present or own):
            return False
        # An occurrence's that is on its way still: planning finds that it is late, and enters nobody.
        return firing.occurrence is None or not await self.sends.heads([firing.id])

    async def _end_late(self, lease: AppLease, firing: Firing) -> None:
        """End a firing that nobody finished in time, and give back what it claimed."""
        await lease.keep()
        claimed = await self.runs.claimed([one.run for one in firing.members], firing.id)
        own = await self.scenarios.get_version(firing.app, firing.scenario, firing.version)
        await self._change(
            claimed, own, lambda run, own, now: give_back(run, firing.id, LATE, own, now)
        )
        await lease.keep()
        await self.firings.set_late(firing.id)

    async def _release(self, firing: Firing, claimed: set[str], own: Scenario | None) -> None:
        """Take back what this process claimed after another had set the members."""
        stored = await self.firings.get(firing.id)
        members = set() if stored is None else {member.run for member in stored.members}
        surplus = claimed - members
        await self._change(surplus, own, lambda run, own, now: take_back(run, firing.id, own, now))

    async def _change(
        self,
        runs: Iterable[str],
        own: Scenario | None,
        change: Callable[[Run, Scenario, datetime], Run],
    ) -> None:
        """Change runs by their version of the scenario, unless that expired."""
        if own is not None:
            now = self.clock()
            await change_runs(self.runs, runs, lambda run: change(run, own, now))
