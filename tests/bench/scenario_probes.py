"""Probes: how long single people wait, beside whatever else the services do."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import orjson
from aiokafka import AIOKafkaConsumer

from shared.clock import utc_now
from shared.kafka.client import LogWriter
from shared.kafka.records import OutgoingRecord
from shared.kafka.topics import MOMENTS_TOPIC, TRIGGERS_TOPIC
from shared.models.facts import CustomEvent
from shared.models.person_moment import dump_moment
from shared.mongo.client import Database
from tests.support.carillon import Carillon, Shop
from tests.support.stack import eventually

SCENARIO = "probe"
PROBE = {
    "name": "Probe", "enabled": True, "enter": {"on": "event", "type": "probe", "key": "n"},
    "steps": [{"id": "later", "campaign": "hello", "after": {"minutes": 10_000}}],
    "until": ["bought"], "again": {"days": 0},
}  # fmt: skip
PUSHES_A_SECOND, VISITS_A_SECOND = 5.0, 2.0
WAIT_SECONDS = 60.0
LOOK_SECONDS = 0.01


@dataclass(frozen=True)
class ProbePerson:
    visitor: str
    person: str
    player: str


@dataclass
class Waits:
    """Seconds that probes waited."""

    push: list[float] = field(default_factory=list)  # trigger produced to delivery recorded
    entry: list[float] = field(default_factory=list)  # moment produced to run stored
    exit: list[float] = field(default_factory=list)  # purchase posted to run over


@dataclass
class Probes:
    """Probes of one shop. `deliveries` reads the log of what was called."""

    carillon: Carillon
    shop: Shop
    database: Database
    writer: LogWriter
    deliveries: AIOKafkaConsumer
    people: Sequence[ProbePerson]
    delivered: int = 0
    _pushes: int = 0
    _visits: int = 0

    async def run_until(self, over: asyncio.Event) -> Waits:
        """Push to single people, and let them enter and buy, at a constant rate."""
        waits = Waits()
        await asyncio.gather(
            self._push(over, waits), _repeat(over, VISITS_A_SECOND, lambda: self._visit(waits))
        )
        return waits

    async def run_for(self, seconds: float) -> Waits:
        over = asyncio.Event()
        asyncio.get_running_loop().call_later(seconds, over.set)
        return await self.run_until(over)

    async def _push(self, over: asyncio.Event, waits: Waits) -> None:
        produced: dict[bytes, float] = {}

        async def produce() -> None:
            person = self.people[self._pushes % len(self.people)]
            send, self._pushes = str(uuid.uuid4()), self._pushes + 1
            produced[send.encode()] = time.time()
            audience = {"players": [person.player]}
            trigger = {"id": send, "app": self.shop.app, "campaign": "hello", "audience": audience}
            body = orjson.dumps({**trigger, "priority": "transactional"})
            await self.writer.publish([OutgoingRecord(TRIGGERS_TOPIC.name, send, body, "trigger")])

        producing = asyncio.create_task(_repeat(over, PUSHES_A_SECOND, produce))
        until = float("inf")
        while (produced or not producing.done()) and time.monotonic() < until:
            fetched = await self.deliveries.getmany(timeout_ms=200)
            for message in (one for some in fetched.values() for one in some):
                began = produced.pop(message.key, None)
                if began is not None:
                    waits.push.append(message.timestamp / 1e3 - began)
                    self.delivered += 1
            if over.is_set() and until == float("inf"):
                until = time.monotonic() + WAIT_SECONDS
        await producing
        waits.push += [WAIT_SECONDS] * len(produced)  # those that never came

    async def _visit(self, waits: Waits) -> None:
        """Let a person enter by a moment, then buy."""
        number, self._visits = self._visits, self._visits + 1
        one, app = self.people[number % len(self.people)], self.shop.app
        now = utc_now()
        fact = CustomEvent(str(uuid.uuid4()), now, type="probe", data={"n": f"n{number}"})
        value = dump_moment(app, one.person, [fact], seen_at=now, zone=None, subscribed=1)
        began = time.perf_counter()
        record = OutgoingRecord(MOMENTS_TOPIC.name, one.person, value, "moment")
        await self.writer.publish([record])
        run = f"{app}:{SCENARIO}:{one.person}:n{number}:1"
        await self._state(run, "waiting")
        waits.entry.append(time.perf_counter() - began)
        line = {"item": "tea", "quantity": 1, "price": 5}
        order = {"id": str(uuid.uuid4()), "items": [line], "revenue": 5}
        event = {"id": str(uuid.uuid4()), "type": "purchase", "visitorId": one.visitor}
        began = time.perf_counter()
        await self.carillon.collect(self.shop, [{**event, "data": order}])
        await self._state(run, "over")
        waits.exit.append(time.perf_counter() - began)

    async def _state(self, run: str, state: str) -> None:
        query = {"_id": run, "state": state}
        runs = self.database["runs"]
        await eventually(lambda: runs.find_one(query, {"_id": 1}), WAIT_SECONDS, LOOK_SECONDS)


async def _repeat(over: asyncio.Event, a_second: float, do: Callable[[], Awaitable[None]]) -> None:
    """Do it at a constant rate, whether or not the one before is done."""
    began = time.perf_counter()
    number = 0
    async with asyncio.TaskGroup() as group:
        while not over.is_set():
            number += 1
            group.create_task(_await(do))
            await asyncio.sleep(max(0.0, began + number / a_second - time.perf_counter()))


async def _await(do: Callable[[], Awaitable[None]]) -> None:
    await do()
