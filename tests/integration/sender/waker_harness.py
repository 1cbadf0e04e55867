"""Wakers on a real database, with clocks that tests set, and a log in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import orjson

from sender_service.context import SenderContext
from sender_service.models.decide.progress import begin_run
from sender_service.models.scenario.run import Entry, Run
from sender_service.models.scenario.scenario import NEVER_ON, Scenario
from sender_service.models.sums import Sums
from sender_service.scenarios.knowledge import Knowledge
from sender_service.scenarios.waker import Waker
from sender_service.store.firings import FiringStore
from sender_service.store.runs import RunStore
from sender_service.store.wakers import WakerStore
from sender_service.wiring import open_sender
from shared.clock import Clock
from shared.kafka.client import LogWriter
from shared.models.quiet_hours import QuietHours
from shared.mongo.client import Document, ensure_indexes
from shared.mongo.collections import INGEST, SENDER
from tests.integration.sender.dying_stores import DyingStore, Fuse
from tests.support.builders import build_app
from tests.support.clocks import ManualClock
from tests.support.documents import build_profile, store_people
from tests.support.memory_log import MemoryLog
from tests.support.pages import build_page_document
from tests.support.sends import build_send
from tests.support.stack import settings_for
from tests.unit.sender.scenario_builders import HOUR, line, person_with, rules_of, scenario

APP = "demo"
NO_NIGHT = QuietHours.model_validate(False)
MISSED_BEATS = 16.0  # seconds: another waker takes the app


class StillComponent:
    """Health component that nobody reads."""

    def beat(self) -> None: ...


@dataclass
class GivenKnowledge(Knowledge):
    """Knowledge as a test gives it."""

    why: str | None = None
    rests: int = 0  # how often something rested

    async def why_old(self, now: datetime) -> str | None:
        return self.why

    def note_rest(self) -> None:
        self.rests += 1


@dataclass
class Wakers:
    """Steps of the wakers' tests, a method each."""

    context: SenderContext
    clock: ManualClock = field(default_factory=ManualClock)
    log: MemoryLog = field(default_factory=MemoryLog)
    knowledge: GivenKnowledge = field(default_factory=GivenKnowledge)

    @property
    def runs(self) -> RunStore:
        return self.context.stores.runs

    @property
    def firings(self) -> FiringStore:
        return self.context.stores.firings

    def waker(
        self, name: str = "one", fuse: Fuse | None = None, clock: Clock | None = None, **more: Any
    ) -> Waker:
        """Return a waker: another process, with this name."""
        stores, log = self.context.stores, more.pop("log", self.log)
        wakers = WakerStore(self.context.database)  # each process watches beats on its own
        runs, firings = more.pop("runs", stores.runs), more.pop("firings", stores.firings)
        if fuse is not None:
            wakers = cast(WakerStore, DyingStore(wakers, fuse, ["raise_n"]))
            runs = DyingStore(runs, fuse, ["claim", "replace_many"])
            states = ["insert", "set_claimed", "set_handed", "close", "set_late"]
            firings = DyingStore(firings, fuse, states)
            log = DyingStore(log, fuse, ["publish"])
        context = replace(
            self.context,
            name=name,
            stores=replace(stores, runs=runs, firings=firings, wakers=wakers),
            writer=cast(LogWriter, log),
            clock=clock or self.clock,
            monotonic=more.pop("monotonic", self.clock.monotonic),
        )
        return Waker.of(context, self.knowledge)

    async def look(self, *wakers: Waker, looks: int = 1) -> None:
        """Let these wakers, else a new one, look at what is due, each some times."""
        for _ in range(looks):
            for one in wakers or (self.waker(),):
                await one.look(cast(Any, StillComponent()))

    async def scenario(self, *steps: Any, **fields: Any) -> Scenario:
        """Put a scenario that was always on; return its present version."""
        given = {"until": (), **fields}
        put = await self.context.stores.scenarios.put(scenario(*steps, **given), self.clock())
        if put.enabled and put.off == (replace(NEVER_ON[0], end=self.clock()),):
            never_off: Document = {"$set": {"off": []}}
            await self.context.database["scenarios"].update_one({"_id": _key(put)}, never_off)
            return replace(put, off=())
        return put

    async def person(self, name: str, **fields: Any) -> None:
        """Store a person with one browser and tea in the basket."""
        basket = {"items": [line()], "total": 20.0, "currency": "EUR"}
        at = self.clock()
        profile = build_profile(
            name,
            players=[{"id": f"player-{name}"}],
            **{"basket": {**basket, "at": at, "since": at}, "lastSeenAt": at, **fields},
        )
        await store_people(self.context.database, profile)

    async def enter(self, own: Scenario, *people: str, **fields: Any) -> list[Run]:
        """Begin runs of these people, whose first step is due an hour after the entry."""
        begun = []
        for name in people:
            if await self.context.stores.people.profiles(APP, [name]) == {}:
                await self.person(name)
            entry = Entry(at=self.clock(), event=f"e-{name}", items=("tea",), **fields)
            run = begin_run(person_with(), entry, self.clock() + HOUR, rules_of(own))
            begun.append(replace(run, person=name))
        await self.runs.insert(begun)
        return begun

    async def all_runs(self) -> dict[str, Run]:
        found = self.context.database["runs"].find({}, {"_id": 1})
        return await self.runs.get([document["_id"] async for document in found])

    async def run_of(self, person: str) -> Run:
        """Return the person's only run."""
        (run,) = await self.runs.of_person(APP, person)
        return run

    async def states(self) -> list[str]:
        """Return the states of all firings, in order."""
        return sorted([one["state"] async for one in self.context.database["firings"].find({})])

    def triggers(self) -> dict[str, dict[str, Any]]:
        """Return the triggers by id; one that was published again is the same."""
        found: dict[str, dict[str, Any]] = {}
        for record in self.log.records:
            trigger = orjson.loads(record.value)
            assert found.setdefault(trigger["id"], trigger) == trigger
        return found

    def pushed(self) -> dict[str, list[str]]:
        """Return the steps that were published for each person, in order."""
        steps: dict[str, list[str]] = defaultdict(list)
        for trigger in self.triggers().values():
            for recipient in trigger["recipients"]:
                steps[recipient["person"]].append(trigger["scenario"]["step"])
        return steps

    async def end_send(
        self,
        firing: str,
        outcomes: Mapping[str, Sequence[str]],
        *,
        about: Sequence[str] = (),
        **fields: Any,
    ) -> None:
        """Store the firing's send as over. `outcomes`: person → state, reason, detail.

        `about`: items of each push.
        """
        members = [(f"player-{name}", name, "0") for name in outcomes]
        own = {str(place): list(of) for place, of in enumerate(outcomes.values()) if len(of) > 1}
        chunks = {"0": {"state": "sent"}}
        page = build_page_document(
            firing, members, chunks, outcomes=own, open=False, at=self.clock()
        )
        if about:
            claims = [[item, None] for item in about]
            page["about"] = {str(place): claims for place, _ in enumerate(outcomes)}
        await self.context.database["pages"].insert_one(cast(Document, page))
        await self.store_send(firing, pages=1, **fields)

    async def deliver(self) -> None:
        """Let the sends of all published triggers end: everybody got theirs."""
        for id, trigger in self.triggers().items():
            if await self.context.stores.sends.get(id) is None:
                await self.end_send(id, {one["person"]: ["sent"] for one in trigger["recipients"]})

    async def store_send(self, firing: str, **fields: Any) -> None:
        """Store the firing's send, over unless `closed_at` says otherwise."""
        over = {"state": "done", "totals": Sums(), "closed_at": self.clock(), **fields}
        await self.context.stores.sends.insert([build_send(firing, self.clock(), **over)])

    def after(self, **length: float) -> datetime:
        """Let time pass; return the time since."""
        self.clock.advance(timedelta(**length).total_seconds())
        return self.clock()


def _key(put: Scenario) -> str:
    return f"{put.app}:{put.id}"


@asynccontextmanager
async def open_wakers(mongo_uri: str, folder: Path) -> AsyncIterator[Wakers]:
    """Open an app without broker or provider."""
    settings = settings_for("127.0.0.1:1", mongo_uri, folder)
    async with open_sender(settings) as sender:
        for service in (INGEST, SENDER):
            await ensure_indexes(sender.context.database, service)
        app = build_app().model_copy(update={"quiet_hours": NO_NIGHT})
        sender.context.apps.take([app])
        yield Wakers(sender.context)


def shifted(clock: Clock, seconds: float) -> Callable[[], datetime]:
    """Return a clock that is wrong by so many seconds."""
    return lambda: clock() + timedelta(seconds=seconds)
