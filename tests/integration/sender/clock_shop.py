"""A shop whose scenario the clock fires, on the sender's stages: what the clock's loop leaves behind."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, cast

import orjson

from sender_service.models.scenario.firing import Firing, Occurrence, occurrence_id, trigger_of
from sender_service.models.scenario.language import ScenarioRequest
from sender_service.models.scenario.reference import ScenarioRef
from sender_service.models.scenario.run import Run
from sender_service.models.scenario.scenario import Scenario
from sender_service.models.send import NEVER
from sender_service.models.trigger import Trigger
from sender_service.scenarios.closing import FiringCloser
from sender_service.scenarios.lease import Leases
from sender_service.store.runs import RunStore
from shared.models.strict import validate_strictly
from tests.integration.sender.dying_stores import DyingStore, Fuse
from tests.integration.sender.pipeline import Pipeline
from tests.integration.sender.sender_harness import APP
from tests.support.looks import build_entries
from tests.support.sends import build_send

SCENARIO = "win-back"
BODY: dict[str, Any] = {
    "name": "Win back", "enabled": True, "enter": {"on": "daily", "at": "12:00"},
    "steps": [{"id": "first", "campaign": "welcome"}], "again": {"days": 7, "from": "push"},
}  # fmt: skip
SECOND = {"id": "second", "campaign": "welcome", "after": {"minutes": 1440}}
TEA = {"items": [{"item": "tea", "quantity": 1, "price": 20.0}], "total": 20.0, "currency": "EUR"}


@dataclass
class ClockShop:
    line: Pipeline

    @property
    def runs(self) -> Any:
        return self.line.world.stores.runs

    def now(self) -> datetime:
        return self.line.world.clock()

    async def put(self, **fields: Any) -> Scenario:
        """Put the scenario as one that was always on."""
        request = validate_strictly(ScenarioRequest, {**BODY, **fields})
        scenarios = self.line.world.stores.scenarios
        await scenarios.put(request.to_scenario(APP, SCENARIO, 1), self.now())
        ever: dict[str, Any] = {"$set": {"off": []}}
        await self.line.world.database["scenarios"].update_many({}, ever)
        found = await scenarios.get(APP, SCENARIO)
        assert found is not None
        return found

    async def campaign(self, **policy: Any) -> None:
        texts = {"id": "a", "contents": {"en": "Come back"}, "headings": {"en": "Hello"},
                 "url": "https://shop.example/"}  # fmt: skip
        body = {"name": "Welcome", "variants": [texts], "policy": {"quietHours": False, **policy}}
        await self.line.ops("PUT", f"/v1/apps/{APP}/campaigns/welcome", json=body)

    def die_after_runs(self, writes: int) -> None:
        """Let planners die after so many writes of runs: a page of it isn't inserted then."""
        entries = build_entries(self.line.world.stores, self.line.looks)
        runs = cast(RunStore, DyingStore(entries.writes.runs, Fuse(writes), ["insert"]))
        dying = replace(entries, writes=replace(entries.writes, runs=runs))
        self.line.planning = {"entries": dying}

    def live_on(self) -> None:
        """Let planners live, once the lease of the dead one is over."""
        entries = build_entries(self.line.world.stores, self.line.looks)
        self.line.planning = {"entries": entries}
        self.line.world.clock.advance(600)

    async def people(self, count: int, **fields: Any) -> None:
        await self.line.people(count, **fields)

    async def fire(self, own: Scenario, **occurrence: Any) -> str:
        """Leave what the clock's loop and intake do; return the firing's id."""
        now, world = self.now(), self.line.world
        one = Occurrence(**{"name": now.isoformat(), "at": now, "due": now, **occurrence})
        firing = Firing(
            id=occurrence_id(APP, own.id, one.name), app=APP, scenario=own.id, version=own.version,
            step=own.steps[0].id, campaign="welcome", made_at=now, due_at=one.due,
            expires_at=now + timedelta(hours=24), expire_at=NEVER, occurrence=one, state="handed",
        )  # fmt: skip
        assert await world.stores.firings.insert(firing)
        trigger = Trigger.model_validate(orjson.loads(trigger_of(firing)))
        ref = ScenarioRef(id=own.id, step=firing.step, version=own.version)
        send = build_send(
            firing.id, now, app=APP, priority="triggered", trigger=trigger.document(),
            state="planning", plan_due=now, expire_at=NEVER, scenario=ref,
            expires_at=firing.expires_at,
        )  # fmt: skip
        await world.sends.insert([send])
        return firing.id

    async def close(self) -> None:
        """Let a waker close the firings whose sends are over."""
        stores, clock = self.line.world.stores, self.line.world.clock
        lease = await Leases(stores.wakers, "waker", clock.monotonic).take(APP)
        assert lease is not None
        closer = FiringCloser.of(stores, clock, clock.monotonic)
        await closer.close(lease, await stores.firings.under_way(APP))

    async def counts(self, firing: str) -> dict[str, int]:
        """Return whom planning left out, by reason."""
        found = await self.line.world.stores.firings.get(firing)
        assert found is not None
        return dict(found.counts)

    async def audience(self, firing: str) -> list[str]:
        """Return the persons in the send's pages."""
        return sorted(m[1] for page in await self.line.pages(firing) for m in page.members)

    async def run_of(self, person: str) -> Run:
        (run,) = await self.runs.of_person(APP, person)
        assert isinstance(run, Run)
        return run

    async def all_runs(self) -> list[Run]:
        found = self.line.world.database["runs"].find({}, {"_id": 1})
        runs = await self.runs.get([one["_id"] async for one in found])
        return [runs[id] for id in sorted(runs)]


def today(shop: ClockShop) -> date:
    return shop.now().date()
