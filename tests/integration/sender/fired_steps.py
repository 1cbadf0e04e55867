"""Steps of a scenario that were fired, on the sender's stages: what the waker leaves behind."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any

from sender_service.models.decide.world import World
from sender_service.models.scenario.language import ScenarioRequest
from sender_service.models.scenario.reference import ScenarioRef
from sender_service.models.scenario.run import Entry, Run, RunPush
from sender_service.models.send import NEVER
from sender_service.models.trigger import Trigger
from sender_service.scenarios.fired_send import Knowledge
from shared.models.strict import validate_strictly
from shared.mongo.client import Database
from tests.integration.sender.pipeline import Pipeline
from tests.integration.sender.sender_harness import APP
from tests.support.sends import build_send

SCENARIO, STEP = "abandoned-basket", "hour"
WELCOME: dict[str, Any] = {"id": STEP, "campaign": "welcome", "after": {"minutes": 60}}
BODY: dict[str, Any] = {
    "name": "Abandoned basket", "enabled": True, "enter": {"on": "basket"}, "steps": [WELCOME],
    "until": ["bought", "emptied"],
}  # fmt: skip


def line_of(item: str, price: float | None = 20.0) -> dict[str, Any]:
    return {"item": item, "quantity": 1, "price": price}


@dataclass
class FiredSteps:
    """A shop whose scenario pushes the campaign `welcome`."""

    line: Pipeline

    @property
    def database(self) -> Database:
        return self.line.world.database

    async def put(self, **fields: Any) -> None:
        """Put the scenario; `step`: fields of its first step."""
        step = {**WELCOME, **fields.pop("step", {})}
        body = {**BODY, "steps": [step, *fields.pop("more", ())], **fields}
        request = validate_strictly(ScenarioRequest, body)
        stores, now = self.line.world.stores, self.line.world.clock()
        await stores.scenarios.put(request.to_scenario(APP, SCENARIO, 1), now)

    async def campaign(self, text: str = "Come back", **policy: Any) -> None:
        texts = {"id": "a", "contents": {"en": text}, "headings": {"en": "Hello"},
                 "url": "https://shop.example/"}  # fmt: skip
        body = {"name": "Welcome", "variants": [texts], "policy": policy}
        await self.line.ops("PUT", f"/v1/apps/{APP}/campaigns/welcome", json=body)

    async def people(self, *baskets: Sequence[str], **fields: Any) -> list[str]:
        """Add people with these items in their baskets; return their ids."""
        before = await self.database["profiles"].count_documents({})
        now = self.line.world.clock()
        for items in baskets:
            lines = [line_of(item) for item in items]
            basket = {"items": lines, "total": 20.0, "currency": "EUR", "at": now, "since": now}
            await self.line.people(1, **{"basket": basket, **fields})
        return [f"p{n}" for n in range(before, before + len(baskets))]

    async def fire(self, *people: str) -> str:
        """Leave what a waker does an hour after the basket; return the firing's id."""
        world, firing = self.line.world, str(uuid.uuid4())
        entered = world.clock()
        world.clock.advance(3600)
        now = world.clock()
        runs = [self._run(person, firing, entered) for person in people]
        assert await world.stores.runs.insert(runs) == {run.id for run in runs}
        scenario = await world.stores.scenarios.get(APP, SCENARIO)
        assert scenario is not None
        ref = ScenarioRef(id=SCENARIO, step=STEP, version=scenario.version)
        head = {"id": firing, "app": APP, "campaign": "welcome", "priority": "triggered"}
        names = [{"person": person} for person in people]
        trigger = Trigger.model_validate({**head, "recipients": names, "scenario": asdict(ref)})
        send = build_send(
            firing, now, app=APP, priority="triggered", trigger=trigger.document(),
            state="planning", plan_due=now, expire_at=NEVER, scenario=ref,
            expires_at=now + timedelta(hours=24),
        )  # fmt: skip
        await world.sends.insert([send])
        return firing

    def _run(self, person: str, firing: str, entered: Any) -> Run:
        now = self.line.world.clock()
        return Run(
            app=APP, scenario=SCENARIO, person=person, version=1,
            entry=Entry(at=entered, event=f"e-{person}", items=("tea",)), step=None, basis=now,
            due=now + timedelta(hours=1), pushes=(RunPush(step=STEP, firing=firing, at=now),),
        )  # fmt: skip

    def see(self, world: World) -> None:
        """Show planner and scheduler this catalogue."""
        self.line.looks = replace(self.line.looks, world=world)
        self.line.scheduler._recheck = replace(self.line.scheduler._recheck, looks=self.line.looks)

    def know(self, knowledge: Knowledge) -> None:
        """Give the scheduler this knowledge."""
        self.line.scheduler._recheck = replace(self.line.scheduler._recheck, knowledge=knowledge)

    async def planned(self, *people: str) -> str:
        firing = await self.fire(*people)
        await self.line.plan()
        return firing

    async def change(self, person: str, **fields: Any) -> None:
        """Change a profile as the projector does."""
        changes = {**fields, "changedAt": self.line.world.clock()}
        await self.database["profiles"].update_one({"_id": person}, {"$set": changes})

    async def buy(self, person: str, *items: str) -> None:
        order = {"id": "o-1", "items": [line_of(item) for item in items], "revenue": 20.0,
                 "currency": "EUR", "at": self.line.world.clock()}  # fmt: skip
        await self.change(person, purchases=[order])

    async def empty(self, person: str) -> None:
        now = self.line.world.clock()
        nothing = {"items": [], "total": 0, "currency": None, "at": now, "since": now}
        await self.change(person, basket=nothing)

    async def result(self, firing: str) -> tuple[int, dict[str, int], dict[str, int]]:
        """Work until all is over; return who was sent to, suppressed, and why not applicable."""
        await self.line.work()
        account = await self.line.account_of(firing)
        assert account["state"] == "done", account
        whys = account["suppressed"]
        assert sum(account["notApplicable"].values()) == whys.get("not_applicable", 0)
        assert account["sent"] + sum(whys.values()) == account["audience"]
        assert len(await self.line.reached()) == account["sent"]
        return account["sent"], whys, account["notApplicable"]
