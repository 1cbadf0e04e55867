"""Shop whose projector and entries share a database and a clock; a test says when each has its turn."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import SecretStr

from ingest_service.projector.person_ids import PersonIds
from ingest_service.projector.projector import Projector
from ingest_service.projector.store import MongoProjections
from sender_service.models.scenario.run import Run
from sender_service.models.scenario.scenario import Scenario
from sender_service.scenarios.entries import Entries
from sender_service.scenarios.history_keeper import HistoryKeeper
from sender_service.scenarios.joining import Joining
from sender_service.scenarios.people import PersonLoader
from sender_service.scenarios.rules import RulesLoader
from sender_service.scenarios.run_writes import RunWrites
from sender_service.store.stores import Stores
from shared.apps import AppRegistry
from shared.kafka.records import OutgoingRecord, Record
from shared.kafka.topics import MOMENTS_TOPIC
from shared.models.app import App
from shared.models.event import Event
from shared.models.person_moment import PersonMoment
from shared.mongo.client import Database, ensure_indexes, open_database
from shared.mongo.collections import INGEST, SENDER
from shared.secrets import Vault
from shared.settings import MongoSettings
from shared.stage.runner import Item
from tests.support.builders import build_app
from tests.support.clocks import START, ManualClock
from tests.support.projector_doubles import APP, item
from tests.support.scenarios import read_scenario

BASKET: dict[str, Any] = {
    "name": "Basket", "enabled": True, "enter": {"on": "basket"}, "until": ["bought", "emptied"],
    "steps": [{"id": "hour", "campaign": "basket-1", "after": {"minutes": 60}}],
}  # fmt: skip
LONG_BEFORE = START - timedelta(days=60)


@dataclass
class EntryShop:
    """Moments that the projector published wait in `log`, by partition as by person."""

    database: Database
    stores: Stores
    app: App
    clock: ManualClock = field(default_factory=ManualClock)
    people: PersonIds = field(default_factory=lambda: PersonIds(b"key"))
    log: list[PersonMoment] = field(default_factory=list)
    slept: float = 0.0

    def __post_init__(self) -> None:
        self.projector = Projector(
            MongoProjections(self.database), self.people, self.clock, publish_moments=self._publish
        )
        apps = AppRegistry(self.database, Vault("a secret key of at least 32 characters"))
        apps.take([self.app])
        self.rules = RulesLoader(
            self.stores.scenarios, self.stores.campaigns, apps, self.clock.monotonic, self.clock
        )
        self.loader = PersonLoader.of(self.stores, self.rules)

    def entries(self, stores: Stores | None = None) -> Entries:
        """Return the stage, on these stores where a test has its own."""
        its = stores or self.stores
        return Entries(
            rules=self.rules,
            people=PersonLoader.of(its, self.rules),
            joining=Joining(its.runs, self.rules),
            writes=RunWrites(its.runs, its.people, its.erasures),
            histories=HistoryKeeper(its.histories, self.clock.monotonic),
            clock=self.clock,
            sleep=self._sleep,
        )

    async def put(
        self, id: str = "basket", *, since: datetime = LONG_BEFORE, **fields: Any
    ) -> Scenario:
        """Store a scenario of a basket, but for the given fields, as of a moment."""
        made = replace(read_scenario({**BASKET, **fields}), id=id)
        return await self.stores.scenarios.put(made, since)

    async def project(self, *events: Event) -> list[PersonMoment]:
        """Project one batch at the time of its last event; return its moments, which wait in the log."""
        self.clock.advance(max(0, (events[-1].occurred_at - self.clock()).total_seconds()))
        before = len(self.log)
        await self.projector.handle([item(one) for one in events])
        return self.log[before:]

    async def enter(self, *moments: PersonMoment, entries: Entries | None = None) -> None:
        """Hand these moments to the stage, or all that wait."""
        batch = list(moments)
        if not moments:
            batch, self.log = self.log, []
        record = Record(MOMENTS_TOPIC.name, 0, 0, b"", b"", "", 0)
        await (entries or self.entries()).handle([Item(record, one) for one in batch])

    async def happen(self, *events: Event) -> None:
        """Project a batch, and hand its moments to the stage."""
        await self.project(*events)
        await self.enter()

    async def runs(self) -> list[Run]:
        """Return all runs, by id."""
        found = [document["_id"] async for document in self.database["runs"].find({})]
        stored = await self.stores.runs.get(found)
        return [stored[id] for id in sorted(stored)]

    async def ends(self) -> list[tuple[str, str]]:
        """Return the person and the end of each run; `waiting` of those without."""
        return [
            (run.person, run.ended.why if run.ended else "waiting") for run in await self.runs()
        ]

    def born(self, visitor: str, start: str = "0") -> str:
        return self.people.of_visitor(APP, visitor, start)

    def login(self, login: str) -> str:
        return self.people.of_login(APP, login)

    async def _publish(self, records: Sequence[OutgoingRecord]) -> None:
        self.log += [PersonMoment.parse(record.value) for record in records]

    async def _sleep(self, seconds: float) -> None:
        self.slept += seconds


@asynccontextmanager
async def open_entry_shop(uri: str, driver: Any = "pymongo") -> AsyncIterator[EntryShop]:
    name = f"test_{uuid.uuid4().hex}"
    settings = MongoSettings(uri=SecretStr(uri), database=name, driver=driver)
    async with open_database(settings, "test") as database:
        await ensure_indexes(database, SENDER)
        await ensure_indexes(database, INGEST)
        app = build_app(APP).model_copy(update={"time_zone": "UTC"})
        yield EntryShop(database, Stores.open(database), app)
