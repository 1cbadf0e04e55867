"""Shop whose log a backfill reads: moments of the real projector, on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

import orjson

from sender_service.models.scenario.backfill import Backfill
from sender_service.models.scenario.run import Run
from sender_service.models.scenario.scenario import Scenario
from sender_service.scenarios.backfiller import Backfiller
from sender_service.scenarios.people import PersonLoader
from sender_service.scenarios.run_writes import RunWrites
from sender_service.scenarios.tasks import TaskRunner
from sender_service.store.runs import RunStore
from shared.kafka.records import Record
from shared.kafka.topics import MOMENTS_TOPIC
from shared.models.person_moment import PersonMoment
from tests.integration.sender.entry_shop import EntryShop
from tests.integration.sender.waker_harness import StillComponent
from tests.support.clocks import START
from tests.unit.sender.scenario_builders import HOUR

TOMORROW: dict[str, Any] = {
    "steps": [{"id": "day", "campaign": "basket-1", "after": {"minutes": 1440}}]
}
Hook = Callable[[], Awaitable[None]]


def to_record(moment: PersonMoment) -> Record:
    value = orjson.dumps(moment.model_dump(mode="json", by_alias=True, exclude_none=True))
    at = max((fact.at for fact in moment.facts), default=START)
    at_ms = int(at.timestamp() * 1_000)
    return Record(MOMENTS_TOPIC.name, 0, 0, moment.person.encode(), value, "", at_ms)


@dataclass
class ReadLog:
    """Log that is read a moment at a time. `before` happens before the n-th one, or at the end."""

    moments: Sequence[PersonMoment]
    known_since: datetime | None = None
    before: dict[int, Hook] = field(default_factory=dict)
    reads: list[datetime] = field(default_factory=list)

    def __call__(self, since: datetime) -> ReadLog:
        self.reads.append(since)
        return self

    async def batches(self) -> AsyncGenerator[list[Record], None]:
        since = self.reads[-1]
        for n, record in enumerate(map(to_record, self.moments)):
            if n in self.before:
                await self.before[n]()
            if record.at_ms >= since.timestamp() * 1_000:
                yield [record]
        if len(self.moments) in self.before:
            await self.before[len(self.moments)]()


class MeanwhileRuns(RunStore):
    """Store of runs before whose first insert something else happens."""

    def __init__(self, shop: EntryShop, work: Hook) -> None:
        super().__init__(shop.database)
        self._work: Hook | None = work

    async def insert(self, runs: Sequence[Run]) -> set[str]:
        work, self._work = self._work, None
        if work is not None:
            await work()
        return await super().insert(runs)


def backfiller(
    shop: EntryShop, log: ReadLog, name: str = "one", runs: RunStore | None = None
) -> Backfiller:
    """Return the backfiller of a process, with this name."""
    its = shop.stores if runs is None else replace(shop.stores, runs=runs)
    return Backfiller(
        TaskRunner(its.backfills, name, shop.clock, shop.clock.monotonic),
        log,
        PersonLoader.of(its, shop.rules),
        shop.rules,
        RunWrites(its.runs, its.people, its.erasures),
        shop.clock,
    )


async def begin(shop: EntryShop, scenario: Scenario, back: timedelta = 24 * HOUR) -> Backfill:
    now = shop.clock()
    asked = Backfill(
        app="demo",
        scenario=scenario.id,
        version=scenario.version,
        since=now - back,
        until=now,
        spread=HOUR,
    )
    return await shop.stores.backfills.begin(asked)


async def look(one: Backfiller, stop: asyncio.Event | None = None) -> None:
    await one.look(cast(Any, StillComponent()), stop or asyncio.Event())


async def get(shop: EntryShop, n: int = 1) -> Backfill:
    found = await shop.stores.backfills.get("demo", n)
    assert found is not None
    return found


async def backfill(shop: EntryShop, scenario: Scenario, log: ReadLog) -> Backfill:
    """Begin a backfill, work it off, and return it."""
    begun = await begin(shop, scenario)
    await look(backfiller(shop, log))
    return await get(shop, begun.n)
